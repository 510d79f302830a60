#include <doctest/doctest.h>

#include <moeplan/io/report_audit.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace moeplan;
using namespace moeplan::io;

namespace {

const std::string examples = MOEPLAN_TEST_DATA "/../../examples";

std::vector<report_verdict> audit_of(const std::string& claims) {
  return audit_report(read_report(parse_json("{\"claims\": [" + claims + "]}", examples + "/reports/r.json")));
}

std::string document(const char* claimed, const char* path) {
  return std::string{R"({"id": "d", "quantity": "valid_json", "claimed": ")"} + claimed + R"(", "document": ")" + path + "\"}";
}

/// Memory of a GPU that is so much, of weights on two GPUs.
std::string memory(const char* id, const char* claimed) {
  return std::string{R"({"id": ")"} + id + R"(", "quantity": "total_memory", "subject": "a GPU", "claimed": ")" + claimed +
         R"(", "from": {"parameters": "4B", "bytes_per_parameter": 2, "gpus": 2, "capacity": "64 GB"}})";
}

} // namespace

TEST_CASE("each claim gets its verdict, with the value and the reason") {
  const auto verdicts = audit_of(R"({"id": "a", "quantity": "layers_per_stage", "claimed": 4, "from": {"layers": 16, "pp": 4}},
                                    {"id": "b", "quantity": "layers_per_stage", "claimed": 5, "from": {"layers": 16, "pp": 4}},
                                    {"id": "c", "quantity": "layers_per_stage", "claimed": 4, "from": {"layers": 16}})");
  REQUIRE(verdicts.size() == 3);
  CHECK((verdicts[0].outcome == claim_outcome::holds));
  CHECK(verdicts[0].computed == "4");
  CHECK(verdicts[0].because.find("16 layers / PP 4") != std::string::npos);
  CHECK((verdicts[1].outcome == claim_outcome::fails));
  CHECK(verdicts[1].computed == "4");
  CHECK((verdicts[2].outcome == claim_outcome::undecided));
  CHECK(verdicts[2].computed.empty());
  CHECK(verdicts[2].because == "not given: PP");
  CHECK(verdicts[2].missing == std::vector<std::string>{"pp"});
  CHECK(verdicts[0].missing.empty());
}

TEST_CASE("a text that is no JSON: where, and what closes what") {
  const auto verdicts = audit_of(document("no", "000-broken.json"));
  CHECK((verdicts[0].outcome == claim_outcome::holds));
  CHECK(verdicts[0].computed == "no");
  CHECK(verdicts[0].because ==
        "000-broken.json:14:5: syntax error: found ']', expected ',' or '}' to close the '{' of line 12, column 25");
  CHECK((audit_of(document("yes", "000-broken.json"))[0].outcome == claim_outcome::fails));
}

TEST_CASE("a text that is JSON") {
  const auto verdicts = audit_of(document("no", "000.json"));
  CHECK((verdicts[0].outcome == claim_outcome::fails));
  CHECK(verdicts[0].computed == "yes");
  CHECK(verdicts[0].because == "000.json is JSON");
  CHECK((audit_of(document("yes", "000.json"))[0].outcome == claim_outcome::holds));
}

TEST_CASE("two numbers for one thing: the later fails, and each names the other, also past a claim on a text") {
  const auto verdicts =
      audit_of(memory("first", "17.7 GB") + ", " + document("yes", "000.json") + ", " + memory("second", "45 GB"));
  REQUIRE(verdicts.size() == 3);
  CHECK((verdicts[0].outcome == claim_outcome::undecided));
  CHECK((verdicts[1].outcome == claim_outcome::holds));
  CHECK((verdicts[2].outcome == claim_outcome::fails));
  CHECK(verdicts[0].because.ends_with("contradicts second (45 GB)"));
  CHECK(verdicts[2].because.starts_with("contradicts first (17.7 GB); by itself it is undecided: 4B x 2 bytes on 2 GPUs, "));
  CHECK(audit_of(memory("first", "17.7 GB") + ", " + memory("second", "17.7 GB"))[1].because.find("contradicts") ==
        std::string::npos);
}

TEST_CASE("what was computed, as numbers in base units") {
  const auto verdicts = audit_of(
      R"({"id": "a", "quantity": "memory_utilisation", "claimed": "25%", "from": {"used_memory": "16 GB", "capacity": "64 GB"}},
         {"id": "b", "quantity": "throughput", "claimed": "1 seq/ms", "from": {"batch": 1, "latency": "2-4 ms"}},
         {"id": "c", "quantity": "left_memory", "claimed": "4 GB", "from": {"used_memory": "60-80 GB", "capacity": "64 GB"}},
         {"id": "d", "quantity": "deployable", "claimed": "yes", "from": {"gpus": 8}},
         {"id": "e", "quantity": "deployable", "claimed": "yes"})");
  REQUIRE(verdicts.size() == 5);
  const auto expect = [](const std::optional<computed_end>& end, const wide_ratio& size, bool is_negative = false) {
    REQUIRE(end);
    CHECK((end->size == size));
    CHECK(end->is_negative == is_negative);
  };
  const auto over = [](std::int64_t n, std::int64_t d) { return wide_ratio{uint256{n}, uint256{d}}; };
  expect(verdicts[0].low, over(1, 4));
  expect(verdicts[0].high, over(1, 4));
  expect(verdicts[1].low, over(250, 1));
  expect(verdicts[1].high, over(500, 1));
  expect(verdicts[2].low, over(16'000'000'000, 1), true);
  expect(verdicts[2].high, over(4'000'000'000, 1));
  CHECK(verdicts[2].computed == "-16 GB to 4 GB");
  CHECK(!verdicts[3].low);
  CHECK(verdicts[3].computed == "yes");
  CHECK(!verdicts[4].low);
  CHECK(verdicts[4].missing == std::vector<std::string>{"gpus"});
}

TEST_CASE("no claims, no verdicts") { CHECK(audit_of("").empty()); }
