// The rules of the house, applied to include/moeplan.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "include_graph.hpp"

using namespace architecture;

namespace {

// An include only ever points to its own folder or to a lower floor.
const floors table{
    {"number", 0},
    {"text", 0},
    {"describe", 1},
    {"catalog", 2},
    {"mesh", 2},
    {"pipeline", 3},
    {"balance", 3},
    {"memory", 4},
    {"cost", 5},
    {"verify", 6},
    {"search", 7},
    {"dialect", 7},
    {"io", 8},
    {"moeplan.hpp", 8}, // on the same floor, so the umbrella cannot include io
    {"multiprecision.hpp", 9},
};

// Everything else is the core.
const std::set<std::string> opt_in{"io", "multiprecision.hpp"};

// What most programs want, and a header for each further topic, so that only who asks for it pays for it.
const std::set<std::string> umbrellas{"moeplan/moeplan.hpp",         "moeplan/balance/balance.hpp",   "moeplan/cost/cost.hpp",
                                      "moeplan/dialect/dialect.hpp", "moeplan/pipeline/pipeline.hpp", "moeplan/search/fit.hpp",
                                      "moeplan/search/search.hpp",   "moeplan/search/repair.hpp",     "moeplan/verify/claims.hpp"};

// Opt-in, each for itself.
const std::set<std::string> in_no_umbrella{"io",
                                           "multiprecision.hpp",
                                           "moeplan/memory/terms.hpp",
                                           "moeplan/memory/state_source.hpp",
                                           "moeplan/memory/deepspeed_estimate.hpp",
                                           "moeplan/memory/published/korthikanti.hpp",
                                           "moeplan/memory/published/memory_analysis.hpp",
                                           "moeplan/memory/published/stored_tensor.hpp"};

// Each of these costs more than the whole core may.
const std::set<std::string> forbidden_in_core{"string", "vector", "algorithm", "ranges",      "iostream", "functional",
                                              "array",  "span",   "iterator",  "string_view", "boost/",   "nlohmann/"};

// Headers without a test file of their own, as "topic/name", each with its reason.
const std::set<std::string> without_test{
    "number/always_inline",    // a macro
    "balance/balance",         // includes alone
    "cost/cost",               // includes alone
    "pipeline/pipeline",       // includes alone
    "search/candidate_memory", // tests/search/candidate_memory_properties_test.cpp
    "search/search_domain",    // its values are what tests/search/strategy_search_properties_test.cpp compares
    "search/search",           // includes alone
    "verify/claims",           // includes alone
    "verify/rule",             // types alone, whose every value tests/verify/rules/table_test.cpp looks at
};

const std::filesystem::path source_dir{MOEPLAN_SOURCE_DIR};

texts read_headers() {
  texts result;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source_dir / "include")) {
    if (!entry.is_regular_file()) { continue; }
    std::ifstream file(entry.path());
    result[entry.path().lexically_relative(source_dir / "include").generic_string()] =
        std::string(std::istreambuf_iterator<char>(file), {});
  }
  return result;
}

const texts& headers() {
  static const texts all = read_headers();
  REQUIRE(!all.empty());
  return all;
}

void report(const complaints& all) {
  for (const auto& complaint : all) { FAIL_CHECK(complaint); }
}

} // namespace

TEST_CASE("includes point to the same folder or down") { report(floor_complaints(headers(), table)); }

TEST_CASE("includes do not form a circle") { report(cycle_complaints(headers())); }

TEST_CASE("the core includes nothing dear") { report(forbidden_complaints(headers(), forbidden_in_core, opt_in)); }

TEST_CASE("every header of the core is in an umbrella") { report(unreached_complaints(headers(), umbrellas, in_no_umbrella)); }

TEST_CASE("every header has its test file") {
  for (const auto& entry : headers()) {
    const std::string& header = entry.first;
    const auto name = std::filesystem::path(header).lexically_relative("moeplan").replace_extension(); // topic/name
    if (!name.has_parent_path() || without_test.contains(name.generic_string())) { continue; }
    const auto test = std::filesystem::path("tests") / name.parent_path() / (name.filename().string() + "_test.cpp");
    CHECK_MESSAGE(std::filesystem::exists(source_dir / test), header << " has no test " << test.generic_string());
  }
}

TEST_CASE("no exception is listed in vain") {
  for (const auto& name : without_test) {
    CHECK_MESSAGE(headers().contains("moeplan/" + name + ".hpp"), name << " is listed but does not exist");
    CHECK_MESSAGE(!std::filesystem::exists(source_dir / "tests" / (name + "_test.cpp")), name << " has a test now");
  }
}
