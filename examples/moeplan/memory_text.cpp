#include "memory_text.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <moeplan/mesh/stage_layers.hpp>

#include "memory_advice.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

constexpr std::size_t bar_width = 64;

struct member_words {
  memory_member member;
  char letter;
  const char* name;
};

constexpr member_words members[memory_members] = {
    {memory_member::weights, 'w', "weights"},     {memory_member::gradients, 'g', "gradients"},
    {memory_member::optimizer, 'o', "optimizer"}, {memory_member::activations, 'a', "activations"},
    {memory_member::kv_cache, 'k', "cache"},      {memory_member::workspace, 'b', "buffers"},
};

constexpr const char* block_words[] = {"",
                                       "the embedding",
                                       "attention",
                                       "linear attention",
                                       "the dense MLP",
                                       "the MoE",
                                       "the input of multi-token prediction",
                                       "the head and the loss",
                                       "its end"};

/// Neighbouring stages that need the same.
struct stage_range {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// What a stage needs, with the layer at work counted from the stage's own first one.
stage_memory without_place(const stage_report& s) {
  stage_memory m = s.memory;
  m.stage = 0;
  if (m.place.layer >= 0) m.place.layer -= s.first_layer;
  return m;
}

std::vector<stage_range> ranges_of(const memory_report& report) {
  std::vector<stage_range> ranges;
  for (std::size_t i = 0; i < report.stages.size(); ++i) {
    if (!ranges.empty() && without_place(report.stages[ranges.back().first]) == without_place(report.stages[i]))
      ranges.back().last = i;
    else
      ranges.push_back({i, i});
  }
  return ranges;
}

std::string name_of(const stage_range& r) {
  return r.first == r.last ? std::to_string(r.first) : std::to_string(r.first) + '-' + std::to_string(r.last);
}

/// Where a layer is: by its number, or by its place where stages share a line.
std::string layer_of(const stage_report& s, bool one_stage) {
  const std::int64_t layer = s.memory.place.layer;
  if (layer < 0) return {};
  if (one_stage || s.memory.chunk > 0) return " of layer " + std::to_string(layer);
  const std::int64_t at = layer - s.first_layer;
  return at + 1 == s.memory.layers ? " of its last layer" : " of its layer " + std::to_string(at);
}

std::string place_words(const stage_report& s, bool one_stage) {
  const work_place& at = s.memory.place;
  return block_words[static_cast<std::size_t>(at.block)] + layer_of(s, one_stage);
}

/// When in a step a stage peaks.
std::string peak_words(const stage_report& s, bool one_stage) {
  const std::string chunk = s.memory.chunk > 0 ? ", virtual stage " + std::to_string(s.memory.chunk) + " of the rank" : "";
  switch (s.memory.time) {
    case peak_time::start: return "at the start: weights move into their buffer";
    case peak_time::update: return "in the optimizer's step: gradients are copied to fp32";
    case peak_time::serving: return {};
    case peak_time::forward_pass: return "forward: " + place_words(s, one_stage) + chunk;
    case peak_time::backward_pass: break;
  }
  return (s.memory.place.again ? "backward, computing again: " : "backward: ") + place_words(s, one_stage) + chunk;
}

/// Whether any stage has any of a member.
bool has(const memory_report& report, memory_member member) {
  return std::any_of(report.stages.begin(), report.stages.end(),
                     [&](const stage_report& s) { return bytes_of(s.memory, member) > 0; });
}

/// "97.5%" of the whole.
std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return {};
  const long thousandths = std::lround(static_cast<double>(part) / static_cast<double>(whole) * 1000);
  return std::to_string(thousandths / 10) + '.' + std::to_string(thousandths % 10) + '%';
}

void print_verdict(std::ostream& out, const memory_report& report) {
  const std::uint64_t peak = report.peak();
  const std::string who =
      report.stages.size() == 1 ? "each rank" : "stage " + std::to_string(report.fullest) + ", which needs most,";
  if (!report.capacity) {
    out << "Whether it fits is not known, since the memory of the GPU is not: give the cluster a \"gpu\".\nOf what is known, "
        << who << " takes " << sized(peak) << ".\n\n";
    return;
  }
  const std::uint64_t capacity = *report.capacity;
  const std::string there_is = sized(capacity) + " that a GPU has for it" +
                               (report.reserve > 0 ? ", " + sized(report.reserve) + " set aside" : std::string{});
  if (report.fits())
    out << "It fits: " << who << " takes " << sized(peak) << " of the " << there_is << ". " << sized(capacity - peak)
        << " stay free.\n\n";
  else
    out << "It does not fit: " << who << " takes " << sized(peak) << ", " << sized(peak - capacity) << " more than the " << there_is
        << ".\n\n";
}

void print_table(std::ostream& out, const memory_report& report, const std::vector<stage_range>& ranges) {
  std::vector<std::string> heading{"stage", "layers", "parameters", "in experts"};
  for (const member_words& m : members)
    if (has(report, m.member)) heading.emplace_back(m.name);
  heading.emplace_back("peak, GiB");
  text_table table{std::string(heading.size(), 'r')};
  table.row(heading);
  for (const stage_range& r : ranges) {
    const stage_memory& s = report.stages[r.first].memory;
    std::vector<std::string> cells{name_of(r), std::to_string(s.layers), grouped(std::to_string(s.parameters().value())),
                                   grouped(std::to_string(s.expert_parameters.value()))};
    for (const member_words& m : members)
      if (has(report, m.member)) cells.push_back(gibibytes(bytes_of(s, m.member)));
    cells.push_back(gibibytes(s.peak().value()));
    table.row(std::move(cells));
  }
  table.print(out, 2);
  out << '\n';
}

/// Where on a line of `scale` bytes an amount ends.
std::size_t column_of(std::uint64_t bytes, std::uint64_t scale) {
  return static_cast<std::size_t>(std::lround(static_cast<double>(bytes) / static_cast<double>(scale) * bar_width));
}

std::string bar_of(const stage_memory& s, std::uint64_t scale, const std::optional<std::uint64_t>& capacity) {
  std::string bar(bar_width + 1, ' ');
  std::uint64_t below = 0;
  for (const member_words& m : members) {
    const std::uint64_t end = below + bytes_of(s, m.member);
    std::fill(bar.begin() + static_cast<std::ptrdiff_t>(column_of(below, scale)),
              bar.begin() + static_cast<std::ptrdiff_t>(column_of(end, scale)), m.letter);
    below = end;
  }
  if (capacity) bar[column_of(*capacity, scale)] = '|';
  return bar;
}

void print_bars(std::ostream& out, const memory_report& report, const std::vector<stage_range>& ranges) {
  const std::uint64_t scale = std::max({report.peak(), report.capacity.value_or(0), std::uint64_t{1}});
  text_table table{"rll"};
  for (const stage_range& r : ranges) {
    const stage_report& s = report.stages[r.first];
    table.row({name_of(r), bar_of(s.memory, scale, report.capacity), peak_words(s, r.first == r.last)});
  }
  table.print(out, 2);
  out << "  ";
  for (const member_words& m : members)
    if (has(report, m.member)) out << m.letter << ' ' << m.name << "  ";
  if (report.capacity) out << "| what a GPU has for it";
  out << "\n\n";
}

/// "kept MoE MLP" of "kept_moe_mlp".
std::string words_of(const std::string& name) {
  struct spelling {
    const char* name;
    const char* words;
  };
  constexpr spelling spellings[] = {
      {"moe", "MoE"},       {"mlp", "MLP"},         {"mtp", "multi-token prediction"}, {"fp8", "FP8"},
      {"cublas", "cuBLAS"}, {"pytorch", "PyTorch"}, {"transformer", "Transformer"},    {"engine", "Engine"}};
  std::string words;
  std::string word;
  for (const char c : name + '_') {
    if (c != '_') {
      word += c;
      continue;
    }
    for (const spelling& s : spellings)
      if (word == s.name) word = s.words;
    words += (words.empty() ? "" : " ") + word;
    word.clear();
  }
  return words;
}

const char* name_of(memory_member member) { return members[static_cast<std::size_t>(member)].name; }

void print_components(std::ostream& out, const deployment& d, const memory_report& report) {
  const stage_report& s = report.stages[report.fullest];
  out << (report.stages.size() == 1 ? std::string{"A rank"} : "Stage " + std::to_string(report.fullest)) << " at its peak";
  if (d.workload.is_training()) {
    out << ", with " << grouped(s.in_flight) << (s.in_flight == 1 ? " micro-batch" : " micro-batches") << " in flight at most";
    if (virtual_stages(d.strategy, d.layout) > d.strategy[axis::pp]) out << ", each in one of its virtual stages";
  }
  out << '\n';
  text_table table{"llrrl"};
  const memory_component* before = nullptr;
  for (const memory_component& c : s.components) {
    const bool same = before != nullptr && before->member == c.member;
    table.row({same ? "" : name_of(c.member), words_of(c.name), sized(c.bytes), percent(c.bytes, s.memory.peak().value())});
    before = &c;
  }
  if (s.memory.host > bytes{})
    table.row({"host", "optimizer", sized(s.memory.host.value()), "", "in the host's memory, beside the peak"});
  table.print(out, 2);
  out << '\n';
}

std::string shape_of(const memory_entry& e) {
  std::string shape;
  for (const std::uint64_t n : e.shape) shape += (shape.empty() ? "" : " x ") + std::to_string(n);
  return shape;
}

void print_entries(std::ostream& out, const memory_report& report) {
  const stage_report& s = report.stages[report.fullest];
  out << "Every tensor and buffer that is alive then, the largest first\n";
  std::vector<memory_entry> all = s.entries;
  std::stable_sort(all.begin(), all.end(), [](const memory_entry& a, const memory_entry& b) { return a.bytes > b.bytes; });
  text_table table{"rrrlllll"};
  table.row({"all of them", "times", "shape", "type", "lifetime", "block", "what", "source"});
  for (const memory_entry& e : all)
    table.row({sized(e.bytes), grouped(e.times), shape_of(e), e.type, words_of(e.lifetime), words_of(e.block), e.name, e.source});
  table.print(out, 2);
  out << '\n';
}

std::string amount(const capacity<>& c) { return c.unbounded ? "any number" : grouped(std::to_string(c.amount.value())); }

void print_room(std::ostream& out, const deployment& d, const serving_capacity<>& room) {
  const serving& v = d.workload.serve;
  out << "Room for sequences on each data-parallel replica\n";
  if (!room.weights_fit) {
    out << "  None: the weights alone do not fit.\n\n";
    return;
  }
  text_table table{"rl"};
  table.row({amount(room.sequences), "of " + counted(v.sequence_length, "token") + "; asked for are " + grouped(v.batch)});
  std::string longest = "tokens each, if there are " + counted(v.batch, "sequence");
  if (d.model.max_positions.given) longest += "; the model is made for " + grouped(d.model.max_positions.number);
  table.row({amount(room.longest), longest});
  table.print(out, 2);
  out << '\n';
}

void print_advice(std::ostream& out, const deployment& d, const memory_report& report) {
  const memory_advice advice = advise_on_memory(d, report);
  if (advice.alone.empty()) {
    out << "No single change that was tried makes it smaller.\n\n";
    return;
  }
  out << "What to change: each tried alone, those first that make smaller what is largest\n";
  text_table table{"lrll"};
  table.row({"change", "peak", "", "costs"});
  for (const memory_change& c : advice.alone) table.row({c.what, sized(c.peak), c.peak <= *report.capacity ? "fits" : "", c.costs});
  table.print(out, 2);
  out << '\n';
  const bool one_is_enough =
      std::any_of(advice.alone.begin(), advice.alone.end(), [&](const memory_change& c) { return c.peak <= *report.capacity; });
  if (one_is_enough) return;
  if (advice.together.empty()) {
    out << "No combination of these that was tried fits: it takes more GPUs, or a smaller model.\n\n";
    return;
  }
  out << "Together these fit, at " << sized(advice.peak_together) << ":\n";
  for (const std::string& what : advice.together) out << "  - " << what << '\n';
  out << '\n';
}

/// Numbers that are found; without any, it is the advice that helps.
void print_limits(std::ostream& out, const deployment& d, const memory_limits& limits) {
  if (!limits.micro_batch && !limits.sequence_length && !limits.gpus) return;
  text_table table{"lrl"};
  const auto row = [&table](const char* what, const std::optional<std::int64_t>& n, const std::string& now) {
    table.row({what, n ? grouped(*n) : "none", now});
  };
  const bool trains = d.workload.is_training();
  if (trains) row("largest micro-batch", limits.micro_batch, grouped(d.workload.train.micro_batch) + " now");
  const std::int64_t tokens = trains ? d.workload.train.sequence_length : d.workload.serve.sequence_length;
  row("longest sequences", limits.sequence_length, counted(tokens, "token") + " now");
  row("fewest GPUs", limits.gpus, grouped(static_cast<std::int64_t>(gpus(d.strategy).value())) + " now");
  out << "What still fits, everything else as it is\n";
  table.print(out, 2);
  out << '\n';
}

void print_what_is_not_counted(std::ostream& out, const deployment& d, const memory_report& report) {
  out << "Not counted: " << (d.workload.is_training() ? "" : "activations, CUDA graphs, ")
      << "the CUDA context, communication libraries and fragmentation of the allocator"
      << (report.reserve > 0 ? "; reserve_bytes sets memory aside for them.\n"
                             : "; set memory aside for them with reserve_bytes.\n");
}

} // namespace

void print_memory(std::ostream& out, const deployment& d, const memory_report& report, bool terms) {
  const std::vector<stage_range> ranges = ranges_of(report);
  print_verdict(out, report);
  print_table(out, report, ranges);
  print_bars(out, report, ranges);
  print_components(out, d, report);
  if (report.room) print_room(out, d, *report.room);
  if (!report.fits()) print_advice(out, d, report);
  print_limits(out, d, report.limits);
  if (terms) print_entries(out, report);
  print_what_is_not_counted(out, d, report);
}

} // namespace tool
