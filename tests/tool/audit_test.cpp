#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

const std::string reports = MOEPLAN_EXAMPLES "/reports/";

answer audit_of(const std::string& report, const std::string& options = "--json") {
  return run_tool("audit " + options + " '" + reports + report + "'");
}

answer audit_text(const std::string& report, const std::string& options = "--json") {
  const temporary_folder folder;
  return run_tool("audit " + options + " '" + folder.write("r.json", report) + "'");
}

const nlohmann::json& entry(const nlohmann::json& array, const char* key, const std::string& value) {
  for (const nlohmann::json& one : array)
    if (one[key] == value) return one;
  FAIL("nothing is called ", value);
  return array;
}

/// 16 layers on 8 GPUs in 4 stages, and what is claimed of it.
std::string report_on_8_gpus(const std::string& strategy, const std::string& claims) {
  return R"({"deployment": {"layers": 16, "experts": 8, "gpus": 8}, "strategies": {"s": )" + strategy + R"(}, "claims": [)" +
         claims + "]}";
}

const std::string right = R"({"id": "right", "quantity": "layers_per_stage", "claimed": 4, "from": {"layers": 16, "pp": 4}})";
const std::string wrong = R"({"id": "wrong", "quantity": "layers_per_stage", "claimed": 5, "from": {"layers": 16, "pp": 4}})";
const std::string open = R"({"id": "open", "quantity": "layers_per_stage", "claimed": 4, "from": {"layers": 16}})";
const std::string sound = R"({"tp": 2, "pp": 4, "ep": 2, "dp": 1})";
const std::string broken = R"({"tp": 2, "pp": 4, "ep": 8, "dp": 1})";

} // namespace

TEST_CASE("every claim has its members, in the order of the file") {
  const answer a = audit_of("001.json");
  CHECK(a.status == 1);
  CHECK(a.err.empty());
  const nlohmann::json json = a.json();
  CHECK(json["ok"] == false);
  const nlohmann::json file = nlohmann::json::parse(read_all(reports + "001.json"));
  REQUIRE(json["claims"].size() == file["claims"].size());
  for (std::size_t i = 0; i < file["claims"].size(); ++i) {
    const nlohmann::json& claim = json["claims"][i];
    CHECK(claim["id"] == file["claims"][i]["id"]);
    CHECK(claim["quantity"] == file["claims"][i]["quantity"]);
    CHECK(claim["claimed"] == file["claims"][i]["claimed"]);
    CHECK(claim["lines"] == file["claims"][i]["lines"]);
    CHECK(claim["because"].is_string());
  }
  const nlohmann::json& parameters = entry(json["claims"], "id", "parameters");
  CHECK(parameters["verdict"] == "fails");
  CHECK(parameters["computed"] == "117.1875 MB"); // 30B x 2 / 512 bytes
  CHECK(parameters["relation"] == "equals");
  CHECK(contains(parameters["because"], "111.7587 MiB"));
  CHECK(contains(parameters["because"], "468.75 MB"));
  CHECK(entry(json["claims"], "id", "activations")["verdict"] == "undecided");
  CHECK(entry(json["claims"], "id", "activations")["computed"].is_null());
  CHECK(entry(json["claims"], "id", "memory-within-limit")["relation"] == "less_than");
}

TEST_CASE("what was computed as numbers in base units, and what is missing by its key") {
  const nlohmann::json json = audit_of("001.json").json()["claims"];
  const auto claim = [&json](const char* id) { return entry(json, "id", id); };
  CHECK(claim("parameters")["computed_low"] == 117'187'500); // 30B x 2 / 512 bytes
  CHECK(claim("parameters")["computed_high"] == 117'187'500);
  CHECK(claim("parameters")["missing"] == nlohmann::json::array());
  CHECK(claim("latency")["computed_low"] == 0.016);
  CHECK(claim("throughput")["computed_low"] == 8000);
  CHECK(claim("utilisation-before")["computed_low"] == 30e9 * 2 / 2048 / 64e9);
  CHECK(claim("utilisation-before")["computed_high"] == 1);
  CHECK(claim("option-1-deployable")["computed"] == "yes");
  CHECK(claim("option-1-deployable")["computed_low"].is_null());
  CHECK(claim("activations")["computed_low"].is_null());
  CHECK(claim("activations")["missing"] == nlohmann::json{"sequence_length", "micro_batch", "heads"});
  const std::string left = R"({"id": "left", "quantity": "left_memory", "claimed": "16 GB",
                               "from": {"capacity": "64 GB", "used_memory": "60-80 GB"}})";
  const nlohmann::json beyond = audit_text("{\"claims\": [" + left + "]}").json()["claims"][0];
  CHECK(beyond["computed"] == "-16 GB to 4 GB");
  CHECK(beyond["computed_low"] == -16'000'000'000);
  CHECK(beyond["computed_high"] == 4'000'000'000);
}

TEST_CASE("weights that all GPUs together cannot hold break a strategy, and every repair on too few GPUs") {
  const auto report = [](const char* strategy, const char* capacity) {
    return R"({"deployment": {"parameters": "30B", "bytes_per_parameter": 2, "gpus": 8, "capacity": ")" + std::string{capacity} +
           R"("}, "strategies": {"s": )" + strategy + R"(}, "claims": []})";
  };
  const answer fits = audit_text(report(R"({"tp": 8})", "8 GB"));
  CHECK(fits.status == 0);
  CHECK(fits.json()["strategies"][0]["memory"].is_null());
  const answer small = audit_text(report(R"({"tp": 8})", "4 GB"));
  CHECK(small.status == 1);
  const char* const why = "the weights alone, 30B x 2 bytes over 8 GPUs, as by ZeRO-3, take 7.5 GB of each GPU's 4 GB";
  CHECK(small.json()["strategies"][0]["memory"] == why);
  CHECK(contains(audit_text(report(R"({"tp": 8})", "4 GB"), "").out, "\n    memory: the weights alone, 30B x 2 bytes over 8 GPUs"));
  CHECK(small.json()["strategies"][0]["repairs"].empty());
  CHECK(contains(audit_text(report(R"({"tp": 3})", "4 GB"), "").out, "\n  s: none, since the weights alone, "));
  const nlohmann::json repairs = audit_text(report(R"({"tp": 3})", "8 GB")).json()["strategies"][0]["repairs"];
  REQUIRE(!repairs.empty());
  for (const nlohmann::json& repair : repairs) CHECK(repair["gpus"] == 8); // 7 have 56 GB, in powers of 1024 60.1 GB
}

TEST_CASE("a legal strategy whose weights outgrow its GPUs is repaired by more of them") {
  const auto report = [](const char* strategy, const char* capacity) {
    return R"({"deployment": {"parameters": "30B", "bytes_per_parameter": 2, "gpus": 8, "capacity": ")" + std::string{capacity} +
           R"("}, "strategies": {"s": )" + strategy + R"(}, "claims": []})";
  };
  const std::string on_2_gpus = R"({"tp": 2, "dp": 1})"; // 60 GB on 2 GPUs are 30 GB each, on 8 they are 7.5
  const answer a = audit_text(report(on_2_gpus.c_str(), "16 GB"));
  CHECK(a.status == 1);
  const nlohmann::json s = a.json()["strategies"][0];
  CHECK(s["folded"]["ok"] == true);
  CHECK(s["memory"].is_string());
  REQUIRE(!s["repairs"].empty());
  CHECK(s["repairs"][0]["gpus"] == 8);
  CHECK(s["repairs"][0]["strategy"] == nlohmann::json{{"tp", 2}, {"dp", 4}});
  CHECK(contains(audit_text(report(on_2_gpus.c_str(), "16 GB"), "").out, "\n  s:\n    DP 1 to 4: 8 GPUs\n"));
  const answer hopeless = audit_text(report(on_2_gpus.c_str(), "4 GB"), "");
  CHECK(contains(hopeless.out, "\n  s: it breaks no rule, but the weights alone, 30B x 2 bytes over 2 GPUs, as by ZeRO-3, "));
}

TEST_CASE("a strategy is not broken by what is open: how many GPUs there are") {
  const auto report = [](const char* strategy, const char* claims) {
    return R"({"deployment": {"layers": 16, "experts": 8}, "strategies": {"s": )" + std::string{strategy} + R"(}, "claims": [)" +
           claims + "]}";
  };
  CHECK(audit_text(report(R"({"tp": 2, "pp": 4, "ep": 2})", right.c_str())).status == 0);
  CHECK(audit_text(report(R"({"tp": 2, "pp": 4, "ep": 2})", right.c_str())).json()["ok"] == true);
  CHECK(audit_text(report(R"({"tp": 2, "pp": 4, "ep": 3})", right.c_str())).status == 1); // 3 does not divide 8 experts
  CHECK(contains(audit_text(report(R"({"tp": 2, "pp": 4, "ep": 2})", right.c_str()), "").out,
                 "\n  s: it breaks no rule; how many GPUs it takes is open\n"));
  const char* const said = R"({"id": "d", "quantity": "deployable", "claimed": "no", "strategy": "s"})";
  const nlohmann::json claim = audit_text(report(R"({"tp": 2, "ep": 4, "dp": 3})", said)).json()["claims"][0];
  CHECK(claim["verdict"] == "holds");
  CHECK(claim["missing"] == nlohmann::json::array());
}

TEST_CASE("of a strategy its degrees come before the number of GPUs, and those that it does not have are 1") {
  const std::string claims = R"(
      {"id": "share", "quantity": "expert_share", "claimed": "1/8", "strategy": "s"},
      {"id": "modules", "quantity": "expert_modules_per_gpu", "claimed": 128, "strategy": "s"},
      {"id": "product", "quantity": "product_gpus", "claimed": 1024, "strategy": "t"},
      {"id": "folded", "quantity": "folded_gpus", "claimed": 1024, "strategy": "t"})";
  const nlohmann::json audited = audit_text(R"({"deployment": {"layers": 16, "experts": 64, "gpus": 8},
      "strategies": {"s": {"tp": 2, "pp": 4, "ep": 8, "dp": 1}, "t": {"pp": 4, "ep": 64, "dp": 4}}, "claims": [)" +
                                            claims + "]}")
                                     .json()["claims"];
  CHECK(entry(audited, "id", "share")["verdict"] == "fails"); // 1/32
  CHECK(entry(audited, "id", "modules")["computed_low"] == 32);
  CHECK(entry(audited, "id", "product")["verdict"] == "holds");
  CHECK(entry(audited, "id", "folded")["computed_low"] == 16);
}

TEST_CASE("what the strategies mean under both mappings") {
  const nlohmann::json json = audit_of("001.json").json();
  const nlohmann::json& option = entry(json["strategies"], "name", "option 1");
  CHECK(option["strategy"] == nlohmann::json{{"tp", 4}, {"pp", 4}, {"ep", 8}, {"dp", 4}});
  CHECK(option["product"]["gpus"] == 512);
  CHECK(option["folded"]["gpus"] == 64);
  CHECK(option["folded"]["ok"] == true);
  const nlohmann::json& idle = entry(option["folded"]["findings"], "rule", "no_gpu_is_idle");
  CHECK(idle["legal"] == nlohmann::json{32}); // 512 / (4 x 4)
  const nlohmann::json& original = entry(json["strategies"], "name", "original");
  CHECK(original["product"]["gpus"] == 2048);
  CHECK(original["product"]["ok"] == false);
  CHECK(original["folded"]["gpus"] == 128);
}

TEST_CASE("the nearest deployable strategies of report 000") {
  const nlohmann::json strategies = audit_of("000.json").json()["strategies"];
  const nlohmann::json& original = entry(strategies, "name", "original");
  CHECK(original["product"]["gpus"] == 8192);
  CHECK(original["folded"]["gpus"] == 128);
  CHECK(entry(original["folded"]["findings"], "rule", "stage_divides_by_expert_ranks")["operands"]["stage_gpus"] == 32);
  CHECK(original["repairs"][0]["strategy"] == nlohmann::json{{"tp", 8}, {"pp", 4}, {"ep", 32}, {"dp", 4}});
  CHECK(original["repairs"][0]["changed"].size() == 1);
  const nlohmann::json& corrected = entry(strategies, "name", "corrected");
  CHECK(corrected["repairs"][0]["strategy"] == nlohmann::json{{"tp", 2}, {"pp", 4}, {"ep", 32}, {"dp", 16}});
  CHECK(corrected["repairs"][0]["training"] == nlohmann::json{{"micro_batch", 8}});
  CHECK(corrected["repairs"][1]["strategy"] == nlohmann::json{{"tp", 2}, {"pp", 2}, {"ep", 64}, {"dp", 32}});
  CHECK(corrected["repairs"][1]["training"] == nlohmann::json{{"micro_batch", 4}});
}

TEST_CASE("no repair rests on a size that the report does not give") {
  for (const char* report : {"000.json", "001.json", "002.json", "003.json", "004.json"}) {
    CAPTURE(report);
    const nlohmann::json audited = audit_of(report).json();
    for (const nlohmann::json& s : audited["strategies"]) {
      REQUIRE(!s["repairs"].empty());
      for (const nlohmann::json& repair : s["repairs"]) {
        CHECK(!repair["strategy"].contains("cp"));
        CHECK(repair["peak_bytes"].is_null());
        const bool micro_batch_is_given = std::string{report} == "000.json";
        if (!micro_batch_is_given) CHECK(repair["bubble_fraction"].is_null());
      }
    }
  }
}

TEST_CASE("groups of report 002 are read as ranks") {
  const nlohmann::json strategies = audit_of("002.json").json()["strategies"];
  CHECK(entry(strategies, "name", "original")["groups"] ==
        nlohmann::json::array({"the TP group of ranks 0, 1, 2 has 3 members, but TP is 2"}));
  CHECK(entry(strategies, "name", "corrected")["groups"] == nlohmann::json::array({"rank 2 is in no TP group"}));
  CHECK(entry(strategies, "name", "corrected")["repairs"][0]["changed"] ==
        nlohmann::json::array({{{"part", "tp"}, {"from", 2}, {"to", 1}}}));
}

TEST_CASE("the text: a table of verdicts, why, what is wrong, and what would be right") {
  const answer a = audit_of("000.json", "");
  CHECK(a.status == 1);
  CHECK(a.err.empty());
  CHECK(contains(a.out, "23 claims: 9 hold, 5 fail, 9 are undecided\n"));
  CHECK(contains(a.out, "\n  45  micro-batches            4                                  1  fails\n"));
  CHECK(contains(a.out, "\n  46  parameters-per-gpu       ~5.9GB            0.469 GB to 7.5 GB  undecided\n"));
  CHECK(contains(a.out, "\n  46  parameters-within-limit  < 64GB                        5.9 GB  holds\n"));
  CHECK(contains(a.out, "\n  micro-batches, line 45: \"128 global batch / 32 micro batch = 4 micro-batches\"\n"));
  CHECK(contains(a.out, "all degrees multiplied (product): 8,192 GPUs, of which there are 128\n"));
  CHECK(contains(a.out, "experts on the GPUs of dense layers (folded): 32 GPUs of 128: 96 stay idle\n"));
  CHECK(!contains(a.out, "the strategy takes 8192 GPUs")); // once is enough
  CHECK(contains(a.out, "\n    EP 64 to 32, micro-batch 32 to 8; DP 4 to 16 follows: 128 GPUs\n"));
  CHECK(contains(audit_of("001.json", "").out, "\n  option 1: nothing to change under the folded mapping\n"));
}

TEST_CASE("the README shows what the tool prints") {
  const std::string readme = read_all(MOEPLAN_EXAMPLES "/../README.md");
  const std::size_t about = readme.find("`moeplan audit examples/reports/000.json`");
  REQUIRE(about != std::string::npos);
  const std::size_t first = readme.find("```\n", about) + 4;
  std::istringstream block{readme.substr(first, readme.find("```", first) - first)};
  const std::string printed = '\n' + audit_of("000.json", "").out;
  std::size_t lines = 0;
  for (std::string line; std::getline(block, line); ++lines) {
    CAPTURE(line);
    CHECK((line == "  ..." || contains(printed, '\n' + line + '\n')));
  }
  CHECK(lines > 20);
}

TEST_CASE("the same as a document") {
  const answer a = audit_of("000.json", "--markdown");
  CHECK(a.status == 1);
  CHECK(a.out.rfind("# Parallel Strategy Compatibility Analysis\n\n", 0) == 0);
  CHECK(contains(a.out,
                 "\n\n## 23 claims: 9 hold, 5 fail, 9 are undecided\n\n| line | claim | claimed | computed | verdict "
                 "|\n|---:|---|---|---:|---|\n"));
  CHECK(contains(a.out, "\n| 46 | parameters-within-limit | \\< 64GB | 5.9 GB | holds |\n"));
  CHECK(contains(a.out, "\n\n## Nearest deployable strategies\n\n"));
  CHECK(contains(a.out, "\n- corrected:\n  - EP 64 to 32, micro-batch 32 to 8; DP 4 to 16 follows: 128 GPUs\n"));
  CHECK(!contains(a.out, "\n\n\n"));
}

TEST_CASE("claims in a row with one reason have it once") {
  const answer a = audit_of("000.json", "");
  CHECK(
      contains(a.out,
               "\n  compute-before, line 29: \"Adjusted from 75% to 68%\"\n  compute-after, line 29: \"Adjusted from 75% to 68%\"\n"
               "    not given: achieved flops, peak flops\n  communication-before, "));
}

TEST_CASE("why claims hold, if asked for") {
  CHECK(!contains(audit_of("000.json", "").out, "What holds, and why"));
  CHECK(contains(audit_of("000.json", "").out, "\nWhy a claim holds, --reasons says.\n"));
  const answer a = audit_of("000.json", "--reasons");
  CHECK(a.status == 1);
  CHECK(contains(a.out, "\nWhat holds, and why\n-------------------\n"));
  CHECK(contains(a.out,
                 "\n  experts-per-gpu, line 43: \"64 experts / 64 EP degree = 1 expert per GPU\"\n    64 experts / EP 64 = 1\n"));
  CHECK(!contains(a.out, "--reasons"));
  CHECK(contains(audit_of("000.json", "--markdown --reasons").out, "\n\n## What holds, and why\n\n- original-gpus, "));
  CHECK(!contains(audit_of("000.json", "--markdown").out, "--reasons"));
  CHECK(audit_of("000.json", "--json --reasons").status == 2);
}

TEST_CASE("what Markdown would take for its own is escaped, in names and in texts") {
  const auto line = [](const std::string& id, const std::string& text) {
    const std::string claim = R"({"id": ")" + id + R"(", "text": ")" + text +
                              R"(", "quantity": "layers_per_stage", "claimed": 5, "from": {"layers": 16, "pp": 4}})";
    return audit_text("{\"claims\": [" + claim + "]}", "--markdown").out;
  };
  CHECK(contains(line(R"(a\\|b)", ""), R"(
|  | a\\\|b | 5 | 4 | fails |
)"));
  CHECK(contains(line("c`d", "`e` &lt; $f$ #7"), R"(
- c\`d: "\`e\` \&lt; \$f\$ \#7")"));
  CHECK(contains(line("1. x", ""), "\n- 1\\. x\n"));
  CHECK(contains(line("2) x", ""), "\n- 2\\) x\n"));
  CHECK(contains(line("- x", ""), "\n- \\- x\n"));
  CHECK(contains(line("+x", ""), "\n- \\+x\n"));
  CHECK(contains(line("3.5x", ""), "\n- 3\\.5x\n"));
}

TEST_CASE("long names do not widen the table, and other letters than ASCII do not shift it") {
  const auto claim = [](const std::string& id) {
    return R"({"id": ")" + id + R"(", "quantity": "layers_per_stage", "claimed": 4, "from": {"layers": 16, "pp": 4}})";
  };
  const std::string name = "ééééé" + std::string(300, 'x');
  const std::string report = "{\"claims\": [" + claim(name) + ", " + claim("b") + "]}";
  const std::string text = audit_text(report, "").out;
  CHECK(contains(text, "\n      ééééé" + std::string(40, 'x') + "...  4               4  holds\n"));
  CHECK(contains(text, "\n      b" + std::string(47, ' ') + "  4               4  holds\n"));
  CHECK(contains(audit_text(report, "--markdown").out, "| " + name + " |"));
}

TEST_CASE("a name cannot break the table, nor a text steer the terminal") {
  // C0, C1 (U+009B begins a sequence of its own), a separator of lines, and a mark that turns the direction of writing.
  for (const char* control :
       {"\\u0007", "\\u001b", "\\u007f", "\\u0080", "\\u009b", "\\u0085", "\\u2028", "\\u2029", "\\u202e", "\\u2067"}) {
    CAPTURE(control);
    const std::string steering = R"({"id": "a)" + std::string{control} + R"(b", "text": ")" + control +
                                 R"(c", "quantity": "layers_per_stage", "claimed": 5, "from": {"layers": 16, "pp": 4}})";
    for (const char* options : {"", "--markdown"})
      CHECK(contains(audit_text("{\"claims\": [" + steering + "]}", options).out, " a b: \"c\"\n"));
  }
  const std::string claim =
      R"({"id": "a|b\n", "text": "\u001b[2J", "quantity": "layers_per_stage", "claimed": 5, "from": {"layers": 16, "pp": 4}})";
  CHECK(contains(audit_text("{\"claims\": [" + claim + "]}", "--markdown").out, "\n|  | a\\|b | 5 | 4 | fails |\n"));
  CHECK(!contains(audit_text("{\"claims\": [" + claim + "]}", "").out, "\x1b"));
}

TEST_CASE("exit status: whether a claim fails, or a strategy is broken and the report does not say so") {
  CHECK(audit_text(report_on_8_gpus(sound, right)).status == 0);
  CHECK(audit_text(report_on_8_gpus(sound, right)).json()["ok"] == true);
  CHECK(audit_text(report_on_8_gpus(sound, open)).status == 0);
  CHECK(audit_text(report_on_8_gpus(sound, wrong)).status == 1);
  CHECK(audit_text(report_on_8_gpus(broken, right)).status == 1);
  CHECK(audit_text(report_on_8_gpus(broken, right)).json()["ok"] == false);
  const auto deployable = [](const char* answer) {
    return R"({"id": "d", "quantity": "deployable", "claimed": ")" + std::string{answer} + R"(", "strategy": "s"})";
  };
  CHECK(audit_text(report_on_8_gpus(broken, deployable("no"))).status == 0);
  CHECK(audit_text(report_on_8_gpus(broken, deployable("yes"))).status == 1);
  CHECK(audit_text(report_on_8_gpus(sound, deployable("no"))).status == 1);
  CHECK(audit_text(report_on_8_gpus(R"({"tp": 2, "pp": 4, "dp": 1, "groups": {"tp": [[0, 1, 2]]}})", right)).status == 1);
  CHECK(audit_text(R"({"claims": []})").status == 0);
}

TEST_CASE("a report that cannot be used") {
  const answer bracket = audit_of("000-broken.json");
  CHECK(bracket.status == 2);
  CHECK(bracket.out.empty());
  CHECK(contains(bracket.err,
                 "000-broken.json:14:5: syntax error: found ']', expected ',' or '}' to close the '{' of line 12, column 25"));
  const answer misspelt = audit_text(R"({"claims": [{"id": "a", "quantity": "layer_per_stage", "claimed": 4}]})");
  CHECK(misspelt.status == 2);
  CHECK(contains(misspelt.err, "/claims/0/quantity"));
  CHECK(contains(misspelt.err, "nearest known: \"layers_per_stage\""));
  CHECK(run_tool("audit no-such-file.json").status == 2);
  CHECK(run_tool("audit").status == 2);
  CHECK(audit_of("000.json", "--json --markdown").status == 2);
}

TEST_CASE("what a claim can be about, and what it is computed from") {
  const answer a = run_tool("audit --quantities");
  CHECK(a.status == 0);
  const nlohmann::json schema = nlohmann::json::parse(read_all(MOEPLAN_EXAMPLES "/schema/report.schema.json"));
  std::size_t quantities = 1; // valid_json
  CHECK(contains(a.out, "\nvalid_json "));
  for (const nlohmann::json& alternative : schema["$defs"]["claim"]["oneOf"]) {
    if (!alternative["properties"]["quantity"].contains("enum")) continue;
    for (const nlohmann::json& name : alternative["properties"]["quantity"]["enum"]) {
      CHECK(contains(a.out, '\n' + name.get<std::string>() + ' '));
      ++quantities;
    }
  }
  CHECK(quantities > 40);
  CHECK(contains(a.out, "experts, ep"));
  CHECK(audit_of("000.json", "--quantities").status == 2);
}
