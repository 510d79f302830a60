#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/io/deployment_file.hpp>
#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/io/json_reader.hpp>
#include <moeplan/search/search_space.hpp>

/// @file
/// A search space as a JSON file: a deployment file in which
/// - a degree of the strategy that is absent is free, and one may be a list; so may the strategy be absent as a whole,
/// - the order of ranks may be a list, or "nearest": for each strategy the one that keeps TP, EP and CP nearest to each other,
/// - the layout may be a list of layouts that fit every number of stages, or "free": all of these,
/// - `micro_batch`, `recompute`, `sharding` and `schedule` of a training run may be lists; all but `recompute` may be "free", and that may be
///   "smallest": for each strategy the least that fits.
///
///     {"model": "mixtral-8x7b", "cluster": {"gpu": "h100-sxm", "gpus_per_node": 8, "nodes": 8}, "strategy": {"tp": [1, 2, 4], "ep": 8},
///      "training": {"global_batch": 256, "micro_batch": [1, 2], "sequence_length": 4096, "recompute": "smallest"}}

namespace moeplan::io {

/// A search space and what is known about the deployment that it starts from.
struct search_file {
  deployment_file described; ///< with the first value of every list, and DP 1 where it is free
  search_space space{};
};

inline constexpr named<search_layout> search_layout_names[] = {{"even", search_layout::even},
                                                               {"balanced", search_layout::balanced},
                                                               {"embedding_as_layer", search_layout::embedding_as_layer},
                                                               {"loss_as_layer", search_layout::loss_as_layer},
                                                               {"both_as_layers", search_layout::both_as_layers}};

namespace detail {

/// Reads a document whose lists it replaces by their first elements, so that the rest is read as a deployment.
class search_reader {
public:
  explicit search_reader(const json_document& document) : document_{document}, single_{document} {}

  [[nodiscard]] search_file read() {
    if (document_.root.kind == json_kind::object) {
      read_strategy();
      read_layouts();
      read_training();
    }
    file_.described = read_deployment(single_);
    file_.space.base = file_.described.deployment;
    return std::move(file_);
  }

private:
  /// The member of an object of the copy; null if there is none.
  static json_value* member_of(json_value* object, std::string_view key) {
    if (object == nullptr || object->kind != json_kind::object) return nullptr;
    for (json_member& m : object->members)
      if (m.key == key) return &m.value;
    return nullptr;
  }

  /// The elements of a list, which is then its first element. `most`: there is room for no more.
  [[nodiscard]] static std::vector<json_place> elements(const json_place& list, json_value& copy, std::size_t most) {
    std::vector<json_place> items = list.items();
    if (items.empty()) list.refuse("one value at least", "an empty list");
    if (items.size() > most) list.refuse("at most " + std::to_string(most) + " values", std::to_string(items.size()) + " values");
    json_value first = items.front().value();
    copy = std::move(first);
    return items;
  }

  template <class List, class T>
  static void add(List& list, const T& value, const json_place& item) {
    for (const T& other : list)
      if (other == value) item.refuse("each value at most once", "given twice");
    list.push_back(value);
  }

  static search_values numbers(const json_place& list, json_value& copy) {
    search_values v;
    v.what = search_values::kind::listed;
    for (const json_place& item : elements(list, copy, search_values::most)) add(v.list, item.integer(), item);
    return v;
  }

  void read_strategy() {
    const json_value* given = document_.root.find("strategy");
    if (given == nullptr) {
      json_member empty{"strategy", document_.root.place, {}};
      empty.value.kind = json_kind::object;
      empty.value.place = document_.root.place;
      single_.root.members.push_back(std::move(empty));
      return;
    }
    if (given->kind != json_kind::object) return;
    const json_place place{json_place{document_}, "strategy", *given};
    search_space& s = file_.space;
    const std::pair<axis, search_values*> degrees[] = {{axis::tp, &s.tp}, {axis::pp, &s.pp}, {axis::vpp, &s.vpp},
                                                       {axis::cp, &s.cp}, {axis::ep, &s.ep}, {axis::etp, &s.etp},
                                                       {axis::dp, &s.dp}, {axis::sp, &s.sp}};
    for (const auto& [which, values] : degrees) {
      const char* name = name_of(which).data();
      const json_value* value = given->find(name);
      if (value == nullptr) continue;
      const json_place here{place, name, *value};
      *values = value->kind == json_kind::array ? numbers(here, *member_of(member_of(&single_.root, "strategy"), name))
                                                : search_values{here.integer()};
    }
    read_orders(place, *given);
  }

  void read_orders(const json_place& strategy, const json_value& given) {
    const json_value* value = given.find("order");
    if (value == nullptr) return;
    json_value& copy = *member_of(member_of(&single_.root, "strategy"), "order");
    if (value->kind == json_kind::array) {
      for (const json_place& item :
           elements(json_place{strategy, "order", *value}, copy, decltype(search_space::orders)::capacity()))
        add(file_.space.orders, item.parse(&rank_order::parse), item);
    } else if (value->kind == json_kind::string && value->text == "nearest") {
      file_.space.nearest_order = true;
      copy.text = "tp-cp-ep-dp-pp";
    }
  }

  void read_layouts() {
    const json_value* given = document_.root.find("layout");
    if (given == nullptr) return;
    json_value& copy = *member_of(&single_.root, "layout");
    if (is_free(*given)) take_all(search_layout_names, file_.space.layouts, copy);
    if (given->kind != json_kind::array) return;
    for (const json_place& item :
         elements(json_place{json_place{document_}, "layout", *given}, copy, decltype(search_space::layouts)::capacity()))
      add(file_.space.layouts, item.choice(search_layout_names), item);
    copy.text = "even";
  }

  void read_training() {
    const json_value* given = document_.root.find("training");
    if (given == nullptr || given->kind != json_kind::object) return;
    const json_place place{json_place{document_}, "training", *given};
    json_value* copy = member_of(&single_.root, "training");
    search_space& s = file_.space;
    const auto with_list = [&](const char* key, auto visit) {
      const json_value* value = given->find(key);
      if (value != nullptr && value->kind == json_kind::array) visit(json_place{place, key, *value}, *member_of(copy, key));
    };
    with_list("micro_batch", [&](const json_place& list, json_value& first) { s.micro_batch = numbers(list, first); });
    with_list("schedule", [&](const json_place& list, json_value& first) {
      for (const json_place& item : elements(list, first, decltype(s.schedules)::capacity()))
        add(s.schedules, item.choice(schedule_names), item);
    });
    with_list("sharding", [&](const json_place& list, json_value& first) {
      for (const json_place& item : elements(list, first, decltype(s.shardings)::capacity()))
        add(s.shardings, item.choice(sharding_names), item);
    });
    if (const json_value* order = given->find("schedule"); order != nullptr && is_free(*order))
      take_all(schedule_names, s.schedules, *member_of(copy, "schedule"));
    if (const json_value* states = given->find("sharding"); states != nullptr && is_free(*states))
      take_all(sharding_names, s.shardings, *member_of(copy, "sharding"));
    std::vector<recompute> kinds;
    with_list("recompute", [&](const json_place& list, json_value& first) {
      for (const json_place& item : elements(list, first, decltype(s.recomputes)::capacity()))
        add(kinds, item.choice(recompute_names), item);
    });
    read_words(place, *given, copy);
    if (kinds.empty()) return;
    // With the modules, method and layers that stand beside.
    recompute_choice choice = moeplan::detail::recompute_of(read_deployment(single_).deployment.workload.train);
    for (const recompute kind : kinds) {
      choice.recompute = kind;
      s.recomputes.push_back(choice);
    }
  }

  [[nodiscard]] static bool is_free(const json_value& value) { return value.kind == json_kind::string && value.text == "free"; }

  /// Every value that has a name; the first stands in the deployment.
  template <class Names, class Values>
  static void take_all(const Names& names, Values& values, json_value& copy) {
    for (const auto& each : names) values.push_back(each.value);
    copy.text = names[0].name;
  }

  /// The words that stand in place of a value.
  void read_words(const json_place& place, const json_value& given, json_value* copy) {
    const auto is_word = [&given](const char* key, const char* word) {
      const json_value* value = given.find(key);
      return value != nullptr && value->kind == json_kind::string && value->text == word;
    };
    if (is_word("micro_batch", "free")) {
      if (given.find("global_batch") == nullptr)
        json_place{place, "micro_batch", *given.find("micro_batch")}.refuse("a number, a list, or \"free\" beside a global_batch",
                                                                            "no global_batch that it could divide");
      file_.space.micro_batch = search_values{};
      json_value one;
      one.kind = json_kind::integer;
      one.integer = 1;
      one.text = "1";
      *member_of(copy, "micro_batch") = one;
    }
    if (is_word("recompute", "smallest")) {
      for (const char* const key : {"recompute_method", "recompute_layers", "recompute_modules"})
        if (const json_value* const value = given.find(key))
          json_place{place, key, *value}.refuse(
              "it absent beside \"recompute\": \"smallest\", which chooses method, layers and modules");
      file_.space.smallest_recompute = true;
      member_of(copy, "recompute")->text = "none";
    }
  }

  const json_document& document_;
  json_document single_;
  search_file file_;
};

} // namespace detail

/// Reads a search space from a document. Throws input_error.
[[nodiscard]] inline search_file read_search(const json_document& document) { return detail::search_reader{document}.read(); }

/// Reads a file of a search space, and the config.json that it may name. Throws input_error.
[[nodiscard]] inline search_file read_search(const std::string& path) { return read_search(read_json(path)); }

} // namespace moeplan::io
