#include "markdown.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/memory/memory.hpp>

#include "most_possible.hpp"
#include "published_run.hpp"

using namespace moeplan;

namespace published_runs {

namespace {

constexpr const char* introduction =
    R"(# Published runs under the bound

What `cost()` says of training runs whose speed is published: the least time that a step can take gives the most model FLOPs a second, and
no claim may be above it. This file is what `published_runs` prints; a test holds it to that.

A bound is no prediction. It lets every GPU multiply at its peak, without a pause, and read and send all bytes meanwhile; only what the
schedule of the pipeline makes ranks wait comes on top. Where a publication leaves something open, what makes the bound weakest is taken:

- nothing is recomputed, whether it fits or not;
- micro-batches and virtual stages are those with the weakest bound: in a pipeline most often one sequence, and one layer, which leaves the
  fewest gaps;
- ETP is TP but with folding, as in Megatron Core before it;
- of each rack of GB200 or GB300 64 GPUs are used, so that no group of 64 leaves NVLink;
- linear layers multiply in the type that is named, attention in bf16.

MFU is model FLOPs over the peak in bf16, also of runs in FP8, whose bound can be above 100%. FLOPs are counted as the publication does,
where it prints tokens a second too; else as Megatron-LM does, which leaves out pairs of tokens that the causal mask hides. Should a
publication have counted these, its bound is higher than what stands here.

Of runs that had too little memory the last column says what `memory` makes of them, which counts tensors, and neither buffers of
communication libraries nor fragmentation.
)";

std::string rounded(double x, int decimals) {
  char digits[64];
  const int length = std::snprintf(digits, sizeof digits, "%.*f", decimals, x);
  return {digits, static_cast<std::size_t>(length)};
}

std::string degrees_of(const strategy& s) {
  std::string words;
  for (const auto& [name, which] : {std::pair{"CP", axis::cp}, std::pair{"TP", axis::tp}, std::pair{"PP", axis::pp},
                                    std::pair{"VPP", axis::vpp}, std::pair{"EP", axis::ep}, std::pair{"ETP", axis::etp}})
    if (s[which] > 1) words.append(words.empty() ? "" : " ").append(name).append(std::to_string(s[which]));
  return words.empty() ? "-" : words;
}

std::string in_unit(const claim& c, double value) {
  return c.what == claim::kind::rate ? rounded(value, 0) : rounded(value, 1) + '%';
}

std::string in_words(const claim& c) {
  const double value = static_cast<double>(c.tenths) / 10;
  switch (c.what) {
    case claim::kind::utilisation: return rounded(value, 1) + '%';
    case claim::kind::rate: return rounded(value, c.tenths % 10 == 0 ? 0 : 1) + " TFLOP/s";
    case claim::kind::out_of_memory: break;
  }
  return "out of memory";
}

std::string gibibytes(bytes amount) { return rounded(static_cast<double>(amount.value()) / 0x1p30, 1) + " GiB"; }

/// Whether `memory` agrees that a run has too little, with nothing recomputed: up to which micro-batch it fits.
std::string memory_in_words(deployment d) {
  const bytes capacity = memory(d).capacity();
  const std::int64_t whole_step = d.workload.train.global_batch.number / d.strategy[axis::dp];
  bytes last;
  for (std::int64_t n = 1; n <= whole_step; n *= 2) {
    d.workload.train.micro_batch = n;
    const bytes peak = memory(d).peak();
    if (peak > capacity) {
      const std::string needed = gibibytes(peak) + " of " + gibibytes(capacity);
      if (n > 1)
        return "fits with micro-batches of " + std::to_string(n / 2) + " (" + gibibytes(last) + "), not of " + std::to_string(n) +
               ": " + needed;
      d.workload.train.recompute = recompute::full;
      return "does not fit: " + needed + ", " + gibibytes(memory(d).peak()) + " with full recompute";
    }
    last = peak;
  }
  return "fits: " + gibibytes(last) + " of " + gibibytes(capacity);
}

void print_row(const run& r, std::ostream& out) {
  const deployment& d = r.deployment;
  out << "| " << r.model << " | " << r.method << " | " << d.cluster.gpus().value() << " | " << degrees_of(d.strategy) << " | "
      << in_words(r.claimed) << " | ";
  if (r.claimed.what == claim::kind::out_of_memory) {
    out << "| | | " << memory_in_words(d) << " |\n";
    return;
  }
  const most_possible p = most_possible_of(r);
  out << in_unit(r.claimed, p.most) << " | " << rounded(100 * p.claimed / p.most, 0) << "% | " << name_of(p.limit) << " | "
      << (p.allows_claim() ? "yes" : "no") << (r.remark.empty() ? "" : "; ") << r.remark << " |\n";
}

void print(const table& t, std::ostream& out) {
  out << "\n## " << t.title << "\n\n";
  if (!t.about.empty()) out << t.about << "\n\n";
  out << "| model | run | GPUs | degrees | claimed | at most | of it | limited by | possible "
         "|\n|---|---|---|---|---|---|---|---|---|\n";
  for (const run& r : t.runs) print_row(r, out);
}

void print_summary(const std::vector<table>& tables, std::ostream& out) {
  int claims = 0;
  int possible = 0;
  double nearest = 0;
  for (const table& t : tables)
    for (const run& r : t.runs) {
      if (r.claimed.what == claim::kind::out_of_memory) continue;
      const most_possible p = most_possible_of(r);
      ++claims;
      possible += p.allows_claim() ? 1 : 0;
      nearest = std::max(nearest, p.claimed / p.most);
    }
  out << "\nOf " << claims << " claims " << possible << " are possible; the one that comes nearest to its bound reaches "
      << rounded(100 * nearest, 0) << "% of it.\n";
}

} // namespace

void print_markdown(std::ostream& out) {
  const std::vector<table> tables = all_tables();
  out << introduction;
  print_summary(tables, out);
  for (const table& t : tables) print(t, out);
}

} // namespace published_runs
