// The reports of examples/reports: every number of each is a claim, and every claim has the verdict that it has when it is worked out by
// hand from the report's text.
#include <doctest/doctest.h>

#include <moeplan/io/report_audit.hpp>
#include <moeplan/io/report_groups.hpp>

#include <algorithm>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "schema_validator.hpp"

using namespace moeplan;
using namespace moeplan::io;

namespace {

const std::string examples = MOEPLAN_TEST_DATA "/../../examples";
const std::string names[] = {"000", "001", "002", "003", "004"};

json_document document_of(const std::string& name) { return read_json(examples + "/reports/" + name + ".json"); }

/// The report as its authors wrote it.
std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream stream{MOEPLAN_TEST_DATA "/reports/" + name + ".txt"};
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  REQUIRE(lines.size() > 50);
  return lines;
}

std::string line_at(const std::vector<std::string>& lines, std::int64_t number) {
  return lines.at(static_cast<std::size_t>(number - 1));
}

struct expected_verdict {
  const char* id;
  const char* verdict;
  const char* computed; ///< empty: nothing can be
};

void compare(const std::string& name, const std::vector<expected_verdict>& expected) {
  const report_file file = read_report(document_of(name));
  const std::vector<report_verdict> verdicts = audit_report(file);
  CHECK(file.claims.size() == expected.size());
  for (const expected_verdict& e : expected) {
    CAPTURE(e.id);
    const auto found = std::find_if(file.claims.begin(), file.claims.end(), [&](const report_claim& c) { return c.id == e.id; });
    REQUIRE(found != file.claims.end());
    const report_verdict& v = verdicts[static_cast<std::size_t>(found - file.claims.begin())];
    CAPTURE(v.because);
    CHECK(v.computed == e.computed);
    const text outcome = name_of(v.outcome);
    CHECK(std::string(outcome.data(), outcome.size()) == e.verdict);
  }
}

/// The numbers of a text, without the commas between groups of digits.
std::vector<std::string> numbers_in(const std::string& words) {
  static const std::regex number{"[0-9][0-9,]*(\\.[0-9]+)?"};
  std::vector<std::string> all;
  for (std::sregex_iterator i{words.begin(), words.end(), number}, end; i != end; ++i) {
    std::string digits = i->str();
    digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
    all.push_back(digits);
  }
  return all;
}

/// What of a line claims a number: without what numbers lists, headings, sections and options, names a rank, a tensor, a schedule, a type or
/// a file.
std::string without_names(const std::string& line) {
  static const std::regex named{
      R"(^#+ [0-9]+\.|^[0-9]+\. |Option [0-9]|Section [0-9]|1F1B|_[0-9]|fc[0-9]|FP(16|32)|\.\./outputs/.*)"};
  return std::regex_replace(line, named, "");
}

void append(std::string& words, const claim_inputs& inputs) {
  for (const claim_inputs::item& i : inputs.items) {
    words += ' ';
    text_buffer<96> value;
    append_printed(value, i.value);
    words.append(value.data(), value.size());
  }
}

} // namespace

TEST_CASE("every report is as the schema says") {
  const json_document schema = read_json(examples + "/schema/report.schema.json");
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK(moeplan_test::schema_validator{schema}.accepts(document_of(name).root));
  }
}

TEST_CASE("every claim quotes its report") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const std::vector<std::string> lines = lines_of(name);
    for (const report_claim& c : read_report(document_of(name)).claims) {
      CAPTURE(c.id);
      REQUIRE(!c.lines.empty());
      REQUIRE(!c.words.empty());
      CHECK(line_at(lines, c.lines.front()).find(c.words) != std::string::npos);
    }
  }
}

TEST_CASE("every number of a report stands in a claim on its line") {
  std::size_t numbers = 0;
  for (const std::string& name : names) {
    const std::vector<std::string> lines = lines_of(name);
    std::vector<std::string> claimed(lines.size());
    for (const report_claim& c : read_report(document_of(name)).claims) {
      for (const std::int64_t line : c.lines) {
        std::string& words = claimed.at(static_cast<std::size_t>(line - 1));
        words += ' ' + c.words + ' ' + c.claimed;
        append(words, c.stated.inputs);
      }
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::vector<std::string> known = numbers_in(claimed[i]);
      for (const std::string& number : numbers_in(without_names(lines[i]))) {
        INFO(name, ", line ", i + 1, ": ", number);
        CHECK(std::find(known.begin(), known.end(), number) != known.end());
        ++numbers;
      }
    }
  }
  CHECK(numbers > 200);
}

TEST_CASE("no claim is computed from the very number that it claims, and so cannot fail") {
  for (const std::string& name : names) {
    CAPTURE(name);
    for (const report_claim& c : read_report(document_of(name)).claims) {
      CAPTURE(c.id);
      const bool is_the_input =
          c.stated.quantity == claim_quantity::available_gpus ||
          (c.stated.quantity == claim_quantity::used_memory && c.stated.inputs.gives(claim_input::used_memory));
      if (!is_the_input || c.stated.relation != claim_relation::equals) continue;
      CHECK(!c.strategy.empty()); // else it would stand in `from`
    }
  }
}

TEST_CASE("000: 30B parameters on 128 GPUs") {
  compare("000", {{"original-gpus", "holds", "8,192"},
                  {"available", "holds", "128"},
                  {"over-capacity", "holds", "64x"},
                  {"over-capacity-percent", "holds", "6,400%"},
                  {"original-deployable", "holds", "no"}, // EP 64 does not divide a stage's 8 x 4 GPUs
                  {"broken-json", "holds", "no"},
                  {"corrected-gpus", "fails", "2,048"},
                  {"corrected-utilisation", "fails", "1,600%"}, // 2,048 / 128
                  {"corrected-deployable", "fails", "no"},      // EP 64 does not divide a stage's 2 x 4 GPUs
                  {"experts-per-gpu", "holds", "1"},
                  {"layers-per-stage", "holds", "4"},
                  {"micro-batches", "fails", "1"},                           // 128 / (32 x 4)
                  {"parameters-per-gpu", "undecided", "0.469 GB to 7.5 GB"}, // 60 GB / 128, 60 GB / 8
                  {"parameters-within-limit", "holds", "5.9 GB"},
                  {"memory-before", "undecided", "0.732% to 100%"}, // 0.469 / 64
                  {"memory-after", "undecided", "0.732% to 100%"},
                  {"compute-before", "undecided", ""},
                  {"compute-after", "undecided", ""},
                  {"communication-before", "undecided", ""},
                  {"communication-after", "undecided", ""},
                  {"communication-minimised", "fails", "1.25x"}, // 15 / 12: it rises
                  {"throughput-before", "undecided", ""},
                  {"throughput-after", "undecided", ""}});
}

TEST_CASE("001: 30B parameters on 512 GPUs") {
  compare("001", {{"original-gpus", "holds", "2,048"},
                  {"available", "holds", "512"},
                  {"original-too-large", "holds", "4x"},
                  {"option-1-gpus", "holds", "512"},
                  {"option-2-gpus", "holds", "512"},
                  {"option-1-deployable", "holds", "yes"}, // 64 GPUs, EP 8 divides a stage's 16
                  {"hidden-before", "holds", "128"},
                  {"hidden-after", "holds", "256"},
                  {"experts-before", "holds", "4"},
                  {"experts-after", "holds", "8"},
                  {"layers-per-stage", "holds", "4"},
                  {"sequences-per-gpu", "holds", "32"},
                  {"parameters", "fails", "117.1875 MB"}, // 117,187,500 bytes
                  {"gradients", "holds", "223.52 MB"},
                  {"optimizer", "holds", "447.04 MB"},
                  {"activations", "undecided", ""},
                  {"total", "holds", "1.1501 GB"}, // 1,150.08 MB
                  {"utilisation-after", "holds", "1.797%"},
                  {"memory-increase", "fails", "1.1501 GB"},
                  {"memory-within-limit", "holds", "1.38 GB"},
                  {"utilisation-before", "undecided", "0.0458% to 100%"}, // 60 GB / 2,048 / 64 GB
                  {"batch-in-flight", "holds", "128"},
                  {"throughput", "holds", "8,000 sequences/s"},
                  {"latency", "holds", "0.016 s"},
                  {"balance", "holds", "0"}});
}

TEST_CASE("002: 63 experts on 3 GPUs") {
  compare("002", {{"tp-group", "holds", "2"}, // and not the 3 that are listed
                  {"tp-group-demanded", "holds", "2"},
                  {"experts-per-gpu", "holds", "21"},
                  {"variance", "holds", "0"},
                  {"memory-left", "holds", "21.696 GB"}, // 64 x 0.339
                  {"memory-usage", "undecided", ""},
                  {"compute-utilisation", "undecided", ""},
                  {"gpus-match", "holds", "3"},
                  {"corrected-deployable", "fails", "no"}, // TP 2 does not divide 3
                  {"layer-latency", "undecided", ""},
                  {"samples", "undecided", ""},
                  {"tokens", "holds", "319,488 tokens/s"}, // 312 x 1,024
                  {"strong-scaling", "undecided", ""},
                  {"weak-scaling", "undecided", ""}});
  const report_file file = read_report(document_of("002"));
  const auto complaints = [&](const char* strategy) { return group_complaints(file.find(strategy)->groups.at(0), 2, 3); };
  CHECK(complaints("original") == std::vector<std::string>{"the TP group of ranks 0, 1, 2 has 3 members, but TP is 2"});
  CHECK(complaints("corrected") == std::vector<std::string>{"rank 2 is in no TP group"});
}

TEST_CASE("003: 10B parameters, 16 experts") {
  compare("003", {{"model-size", "holds", "20 GB"},
                  {"planned-model-memory", "holds", "20 GB"},                     // and not 0.53 GB
                  {"planned-memory-of-a-gpu", "undecided", "0.1563 GB to 20 GB"}, // 20 GB / 128, 20 GB
                  {"throughput", "undecided", ""},
                  {"throughput-against-target", "holds", "0.5x"},
                  {"utilisation-of-all-gpus", "holds", "0.00647% to 0.0129%"}, // 0.53 / 8,192, 0.53 / 4,096
                  {"utilisation-of-one-gpu", "fails", "0.8281%"},              // 0.53 / 64
                  {"utilisation-by-the-model", "fails", "0.2441% to 0.4883%"}, // 20 / 8,192, 20 / 4,096
                  {"planned-gpus", "undecided", ""},
                  {"gpus-for-memory", "holds", "1"}, // 20 / 64
                  {"gpus-for-memory-later", "fails", "1"},
                  {"corrected-deployable", "fails", "no"}, // 1 GPU, which EP 16 does not divide
                  {"experts-per-gpu", "holds", "1"},
                  {"one-expert-a-gpu", "holds", "1"},
                  {"gpus-for-experts", "holds", "16"},
                  {"corrected-gpus", "holds", "16"},               // 1 x 1 x 16 x 1: the product that the report refuses
                  {"corrected-gpus-not-multiplied", "fails", "1"}, // 1 x 1 x 1
                  {"layers-together", "holds", "5.28 GB"},         // 16 x 0.33
                  {"layers-as-the-model", "fails", "20 GB"},
                  {"layers-within-limit", "holds", "5.3 GB"},
                  {"whole-layer", "fails", "1.25 GB"},                  // 20 / 16
                  {"layers-on-a-gpu", "undecided", "1.25 GB to 20 GB"}, // 20 / 16 GPUs, 20
                  {"planned-over-corrected", "holds", "4x to 8x"}});    // 64 / 16, 128 / 16
}

TEST_CASE("004: 30B parameters on 8 GPUs") {
  compare("004", {{"deployable", "fails", "no"}, // EP 8 does not divide a stage's 2 GPUs
                  {"size-fp32", "holds", "120 GB"},
                  {"size-fp16", "holds", "60 GB"},
                  {"cluster-memory", "holds", "512 GB"},
                  {"memory-per-gpu", "undecided", "7.5 GB to 64 GB"}, // 60 / 8
                  {"utilisation", "holds", "27.656%"},                // 17.7 / 64
                  {"within-limits", "holds", "17.7 GB"},
                  {"experts-per-gpu", "holds", "8"},
                  {"expert-share", "holds", "0.125"},
                  {"expert-share-by-degrees", "fails", "0.0313"},
                  {"heads-per-gpu", "holds", "8"},
                  {"expert-hidden-per-gpu", "holds", "1,024"},
                  {"layers-per-stage", "holds", "4"},
                  {"micro-batches", "undecided", ""},
                  {"accumulation", "fails", ""}, // as many as there are micro-batches, of which line 30 has 8
                  {"gpus", "holds", "8"},
                  {"available", "holds", "8"},
                  {"gpus-match", "holds", "1x"},
                  {"modules", "holds", "1,024"},
                  {"modules-per-gpu", "holds", "128"},
                  {"modules-by-degrees", "fails", "32"}, // 4 layers x 8 experts
                  {"balance", "holds", "0"},
                  {"memory-saving", "undecided", "0% to 87.5%"}, // 14 / 16
                  {"layer-latency", "undecided", ""},
                  {"throughput", "undecided", ""},
                  {"memory-per-gpu-later", "fails", "7.5 GB to 64 GB"}, // line 11 has 17.7 GB
                  {"utilisation-later", "holds", "70.31%"},             // 45 / 64
                  {"utilisation-against-the-first", "fails", "27.66%"}, // 17.7 / 64
                  {"mfu", "undecided", "0% to 72.73%"}});               // 8 / 11
}
