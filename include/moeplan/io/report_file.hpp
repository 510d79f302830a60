#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include <moeplan/describe/axis.hpp>
#include <moeplan/io/json_document.hpp>
#include <moeplan/io/json_reader.hpp>
#include <moeplan/io/report_numbers.hpp>
#include <moeplan/verify/claim.hpp>
#include <moeplan/verify/claim_deployment.hpp>
#include <moeplan/verify/claim_verdict.hpp>
#include <moeplan/verify/resolve.hpp>

/// @file
/// A deployment report as a JSON file: the deployment as far as the report tells it, its strategies, and each of its numbers as a claim.
///
///     {"deployment": {"layers": 16, "experts": 64, "gpus": 128, "capacity": "64 GB"},
///      "strategies": {"original": {"tp": 8, "pp": 4, "ep": 64, "dp": 4}},
///      "claims": [{"id": "gpus", "text": "Required: 8,192 GPUs", "quantity": "product_gpus", "claimed": "8,192", "strategy": "original"},
///                 {"id": "left", "text": "21.7 GB available", "quantity": "left_memory", "claimed": "21.7 GB",
///                  "from": {"capacity": "64 GB", "utilisation": "66.1%"}}]}
///
/// A claim that names a strategy is computed from the deployment and that strategy's degrees; `from` adds to them and comes
/// before them. Degrees are taken as they stand, EP 0 among them; one that the strategy does not have is 1, but for DP, which is
/// what the GPUs leave. A claim on whether a text is JSON names its file: relative to the folder of the report, or absolute. What
/// cannot be understood throws input_error.

namespace moeplan::io {

/// Ranks that a report lists, group by group.
struct report_groups {
  axis of{};
  std::vector<std::vector<std::int64_t>> members;
};

struct report_strategy {
  std::string name;
  claim_inputs degrees{}; ///< those given
  std::vector<report_groups> groups;
};

/// A text that a report says is valid JSON or is not.
struct report_document {
  std::string path;    ///< as the report file has it
  std::string problem; ///< where and why it is no JSON; empty if it is
};

/// One number of a report, or one answer.
struct report_claim {
  std::string id;
  std::vector<std::int64_t> lines; ///< of the report, on which it stands; from 1
  std::string words;               ///< of the report, that claim it
  std::string quantity;
  std::string claimed; ///< as printed
  std::string subject;
  std::string strategy;                    ///< a name; empty: none
  std::optional<report_document> document; ///< what a claim about a text is about; `stated` says nothing then
  claim stated{};                          ///< without id and subject, which stated_in() adds
};

struct report_file {
  std::string title;
  claim_inputs deployment{}; ///< as far as it is known
  std::vector<report_strategy> strategies;
  std::vector<report_claim> claims;

  /// Null if there is none of that name.
  [[nodiscard]] const report_strategy* find(const std::string& name) const {
    for (const report_strategy& s : strategies)
      if (s.name == name) return &s;
    return nullptr;
  }
};

/// The quantity of a claim on whether a text is JSON, which is not computed but read.
inline constexpr const char* valid_json = "valid_json";

/// A claim in the words of the core. Valid as long as the claim.
[[nodiscard]] inline claim stated_in(const report_claim& c) {
  claim stated = c.stated;
  stated.id = c.id;
  stated.subject = c.subject;
  return stated;
}

/// What a strategy of a report is computed from: the deployment, and the strategy's degrees.
[[nodiscard]] inline claim_inputs numbers_of(const report_file& file, const report_strategy& s) {
  claim_inputs numbers = file.deployment;
  for (const claim_inputs::item& i : s.degrees.items) numbers.set(i.name, i.value);
  return numbers;
}

namespace detail {

/// What of a deployment a report can tell.
inline constexpr claim_input described_numbers[] = {claim_input::parameters,
                                                    claim_input::bytes_per_parameter,
                                                    claim_input::layers,
                                                    claim_input::experts,
                                                    claim_input::hidden_size,
                                                    claim_input::heads,
                                                    claim_input::expert_intermediate_size,
                                                    claim_input::sequence_length,
                                                    claim_input::global_batch,
                                                    claim_input::micro_batch,
                                                    claim_input::micro_batches,
                                                    claim_input::batch,
                                                    claim_input::gpus,
                                                    claim_input::capacity};

inline constexpr claim_input described_degrees[] = {claim_input::tp_size, claim_input::pp_size, claim_input::vpp_size,
                                                    claim_input::cp_size, claim_input::ep_size, claim_input::etp_size,
                                                    claim_input::dp_size, claim_input::sp_size};

static_assert(sizeof described_numbers + sizeof described_degrees <= claim_inputs::capacity * sizeof(claim_input));

[[nodiscard]] constexpr named<claim_relation> named_relation(claim_relation r) { return {name_of(r).data(), r}; }

inline constexpr named<claim_relation> relation_names[] = {
    named_relation(claim_relation::equals),   named_relation(claim_relation::at_most),   named_relation(claim_relation::less_than),
    named_relation(claim_relation::at_least), named_relation(claim_relation::more_than), named_relation(claim_relation::differs)};

/// Of an answer.
inline constexpr named<claim_relation> answer_relation_names[] = {named_relation(claim_relation::equals),
                                                                  named_relation(claim_relation::differs)};

/// Axes along which a report can list groups.
inline constexpr axis grouped_axes[] = {axis::tp, axis::pp, axis::cp, axis::ep, axis::etp, axis::dp};

/// Whether a number says something about a quantity. Whether a strategy is deployable depends on all that is known of the deployment.
[[nodiscard]] inline bool can_be_from(claim_quantity quantity, claim_input name) {
  const auto is_among = [name](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  const bool describes = is_among(described_numbers) || is_among(described_degrees);
  return is_computed_with(quantity, name) || (quantity == claim_quantity::deployable && describes);
}

/// Whether some formula for the quantity cannot do without the number.
[[nodiscard]] inline bool is_needed_for(claim_quantity quantity, claim_input name) {
  return std::any_of(std::begin(claim_formula_table), std::end(claim_formula_table),
                     [=](const claim_formula& f) { return f.quantity == quantity && f.takes(name); });
}

/// Adds the degrees that a strategy does not have and that its claim cannot do without: each is 1, but for DP, which is what the GPUs leave
/// under the mapping that the claim is about. ETP stays open, since some take it as 1 and others as TP.
inline void complete_degrees(claim& c) {
  for (const claim_input degree : {claim_input::tp_size, claim_input::pp_size, claim_input::ep_size})
    if (!c.inputs.gives(degree) && is_needed_for(c.quantity, degree)) c.inputs.set(degree, 1);
  const optional_integer gpus = integer_in(c.inputs, claim_input::gpus);
  if (c.inputs.gives(claim_input::dp_size) || !is_needed_for(c.quantity, claim_input::dp_size) || !gpus.given) return;
  for (const claim_input degree : described_degrees)
    if (c.inputs.gives(degree) && !integer_in(c.inputs, degree).given) return; // a range
  const bool multiplied = c.quantity == claim_quantity::product_gpus || c.quantity == claim_quantity::over_capacity;
  const strategy s = strategy_described_by(c.inputs).with(multiplied ? mapping::product : mapping::folded);
  if (const resolution r = resolve(s, gpus.number); r.ok()) c.inputs.set(claim_input::dp_size, r.strategy[axis::dp]);
}

/// Reads one report, part by part.
class report_reader {
public:
  explicit report_reader(const json_document& document) : document_{document} {}

  [[nodiscard]] report_file read();

private:
  static void read_deployment(const json_place& place, claim_inputs& to);
  [[nodiscard]] static report_strategy read_strategy(const json_place& place, const std::string& name);
  [[nodiscard]] static report_groups read_groups(const json_place& place, axis of);
  [[nodiscard]] report_claim read_claim(const json_place& place);
  [[nodiscard]] report_document read_document(const json_place& place) const;
  void read_statement(json_object& object, report_claim& c) const;
  static void read_inputs(const json_place& from, report_claim& c);
  [[noreturn]] static void refuse_unused(const json_place& from, const report_claim& c, claim_input name);

  const json_document& document_;
  report_file file_;
  std::unordered_set<std::string> ids_; ///< of the claims so far
};

[[nodiscard]] inline std::string non_empty_string(const json_place& place) {
  if (place.string().empty()) place.refuse("a string that is not empty");
  return place.string();
}

inline void report_reader::read_deployment(const json_place& place, claim_inputs& to) {
  json_object object{place, "an object with layers, experts, gpus and more, as far as they are known"};
  for (const claim_input name : described_numbers) {
    const claim_input_entry& e = entry(name);
    const auto member = object.find(e.name);
    if (!member) continue;
    const bool whole = e.dimension == dimension::number && e.exact && name != claim_input::bytes_per_parameter;
    to.set(name, whole ? printed_value{read_printed_integer(*member)} : read_printed(*member, e.dimension));
  }
  object.refuse_unknown_keys();
}

inline report_groups report_reader::read_groups(const json_place& place, axis of) {
  constexpr const char* what = "an array of groups, each an array of ranks";
  report_groups result{of, {}};
  for (const json_place& group : place.items(what)) {
    std::vector<std::int64_t> members;
    for (const json_place& rank : group.items("an array of ranks")) members.push_back(rank.non_negative());
    result.members.push_back(std::move(members));
  }
  return result;
}

inline report_strategy report_reader::read_strategy(const json_place& place, const std::string& name) {
  json_object object{place, "an object with degrees such as {\"pp\": 4, \"ep\": 64}"};
  report_strategy s{name, {}, {}};
  for (const claim_input degree : described_degrees)
    if (const auto member = object.find(entry(degree).name)) s.degrees.set(degree, read_printed_integer(*member));
  if (const auto member = object.find("groups")) {
    json_object groups{*member, "an object with groups by degree, such as {\"tp\": [[0, 1]]}"};
    for (const axis a : grouped_axes)
      if (const auto listed = groups.find(name_of(a).data())) s.groups.push_back(read_groups(*listed, a));
    groups.refuse_unknown_keys();
  }
  object.refuse_unknown_keys();
  return s;
}

/// Relative to the report file's folder, or absolute.
inline report_document report_reader::read_document(const json_place& place) const {
  const std::string path = (std::filesystem::path{document_.file}.parent_path() / place.string()).string();
  std::error_code ignored;
  const bool ends_early = path.find('\0') != std::string::npos; // and would be the path of another file
  if (ends_early || !std::filesystem::is_regular_file(path, ignored))
    place.refuse("the path of a text, relative to this file", "no such file");
  report_document result{place.string(), {}};
  try {
    (void)read_json(path);
  } catch (const input_error& error) {
    input_problem problem = error.problem();
    if (problem.place.line == 0) throw; // It cannot be read at all.
    problem.file = result.path;
    result.problem = input_error{problem}.what();
  }
  return result;
}

/// A number that its claim is not computed from.
inline void report_reader::refuse_unused(const json_place& from, const report_claim& c, claim_input name) {
  std::vector<std::string> usable;
  for (const claim_input_entry& e : claim_input_table)
    if (can_be_from(c.stated.quantity, e.id)) usable.emplace_back(e.name);
  const char* const key = entry(name).name;
  json_place{from, key, *from.value().find(key)}.refuse("for " + c.quantity + " some of " + listed(usable),
                                                        "a number that nothing is computed from here");
}

/// Quantity, relation, value and inputs.
inline void report_reader::read_statement(json_object& object, report_claim& c) const {
  const json_place quantity = object.need("quantity");
  c.quantity = quantity.string();
  const claim_quantity_entry* known = nullptr;
  for (const claim_quantity_entry& e : claim_quantity_table)
    if (c.quantity == e.name) known = &e;
  if (known == nullptr) {
    std::vector<std::string> names = names_in(claim_quantity_table);
    names.emplace_back(valid_json);
    quantity.refuse_name(names, "no quantity");
  }
  c.stated.quantity = known->id;
  c.stated.claimed = read_printed(object.need("claimed"), known->dimension);
  if (const auto relation = object.find("relation"))
    c.stated.relation =
        known->dimension == dimension::answer ? relation->choice(answer_relation_names) : relation->choice(relation_names);
  if (const auto subject = object.find("subject")) c.subject = non_empty_string(*subject);
  if (const auto name = object.find("strategy")) {
    c.strategy = name->string();
    const report_strategy* const s = file_.find(c.strategy);
    std::vector<std::string> names;
    for (const report_strategy& other : file_.strategies) names.push_back(other.name);
    if (s == nullptr) name->refuse_name(names, "no strategy of this report");
    c.stated.inputs = numbers_of(file_, *s);
  }
  if (const auto from = object.find("from")) read_inputs(*from, c);
  if (!c.strategy.empty()) complete_degrees(c.stated);
}

inline void report_reader::read_inputs(const json_place& from, report_claim& c) {
  const claim_inputs given = read_claim_inputs(from);
  for (const claim_inputs::item& i : given.items) {
    if (!can_be_from(c.stated.quantity, i.name)) refuse_unused(from, c, i.name);
    if (!c.stated.inputs.set(i.name, i.value))
      from.refuse("at most " + std::to_string(claim_inputs::capacity) + " numbers with those of the strategy", "too many numbers");
  }
  // Each number suits itself; those left are two that the claim compares, or what flies through the GPUs and is counted in sequences.
  if (has_suitable_units(c.stated)) return;
  if (given.gives(claim_input::value)) from.refuse("value and reference in the same unit, rates of the same thing", "two units");
  if (given.gives(claim_input::base_throughput)) from.refuse("throughput and base_throughput of the same thing", "two units");
  const text rate = units_of(dimension::sample_rate);
  const char* const name = entry(claim_input::throughput).name;
  json_place{from, name, *from.value().find(name)}.refuse({rate.data(), rate.size()});
}

inline report_claim report_reader::read_claim(const json_place& place) {
  json_object object{place, "an object with id, quantity, claimed and more"};
  object.allow_only({"id", "lines", "text", "quantity", "relation", "claimed", "subject", "strategy", "from", "document"});
  report_claim c;
  const json_place id = object.need("id");
  c.id = non_empty_string(id);
  if (!ids_.insert(c.id).second) id.refuse("an id that no other claim has", "given twice");
  if (const auto lines = object.find("lines"))
    for (const json_place& line : lines->items("an array of numbers of lines"))
      if (c.lines.push_back(line.non_negative()); c.lines.back() == 0) line.refuse("an integer from 1", "a number out of range");
  if (const auto words = object.find("text")) c.words = words->string();
  const auto document = object.find("document");
  const bool about_a_text = object.need("quantity").value().text == valid_json;
  if (document && !about_a_text) document->refuse("a document for the quantity valid_json alone", "a document of another quantity");
  const json_place claimed = object.need("claimed");
  c.claimed = claimed.value().text;
  if (!about_a_text) {
    read_statement(object, c);
    return c;
  }
  c.quantity = valid_json;
  for (const char* key : {"relation", "subject", "strategy", "from"})
    if (const auto member = object.find(key))
      member->refuse("none of it for the quantity valid_json", "a key that says nothing here");
  c.stated.claimed = read_printed(claimed, dimension::answer);
  c.document = read_document(object.need("document"));
  return c;
}

inline report_file report_reader::read() {
  json_object top{json_place{document_}, "an object with deployment, strategies and claims"};
  top.allow_only({"schema", "title", "deployment", "strategies", "claims"});
  if (const auto schema = top.find("schema"); schema && schema->integer() != 1) schema->refuse("1, the only version there is");
  if (const auto title = top.find("title")) file_.title = title->string();
  if (const auto deployment = top.find("deployment")) read_deployment(*deployment, file_.deployment);
  if (const auto strategies = top.find("strategies")) {
    const json_object object{*strategies, "an object with a strategy by each name"};
    for (const json_member& member : strategies->value().members)
      file_.strategies.push_back(read_strategy({*strategies, member.key, member.value}, member.key));
  }
  for (const json_place& claim : top.need("claims").items("an array of claims")) file_.claims.push_back(read_claim(claim));
  return std::move(file_);
}

} // namespace detail

/// Reads a report from a document. Throws input_error.
[[nodiscard]] inline report_file read_report(const json_document& document) { return detail::report_reader{document}.read(); }

/// Reads a report file, and looks at the documents that it names. Throws input_error.
[[nodiscard]] inline report_file read_report(const std::string& path) { return read_report(read_json(path)); }

} // namespace moeplan::io
