#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "browser.hpp"
#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

const std::string deployments = MOEPLAN_EXAMPLES "/deployments/";

answer pipeline(const std::string& deployment, const std::string& options = {}) {
  const temporary_folder folder;
  return run_tool("pipeline " + options + " '" + folder.write("d.json", deployment) + "'");
}

answer pipeline_of_file(const std::string& name, const std::string& options = {}) {
  return run_tool("pipeline " + options + " '" + deployments + name + ".json'");
}

/// Mixtral in four stages, with more of a training run.
std::string trained(const std::string& training, const std::string& strategy = "\"pp\": 4, \"ep\": 8, \"dp\": 8") {
  return R"({"model": "mixtral-8x7b", "cluster": {"gpu": "h100-sxm", "gpus_per_node": 8, "nodes": 4}, "strategy": {)" + strategy +
         R"(}, "training": {"micro_batch": 1, "sequence_length": 4096, )" + training + "}}";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// What must hold of every answer.
void check_answer(const nlohmann::json& json) {
  const auto stages = json["stages"].get<std::size_t>();
  const auto makespan = json["makespan"].get<std::int64_t>();
  CHECK(json["in_flight"].size() == stages);
  CHECK(json["idle"].size() == stages);
  std::int64_t idle = 0;
  for (const nlohmann::json& time : json["idle"]) idle += time.get<std::int64_t>();
  const auto numerator = json["bubble_fraction"]["numerator"].get<std::int64_t>();
  const auto denominator = json["bubble_fraction"]["denominator"].get<std::int64_t>();
  CHECK(numerator * makespan * static_cast<std::int64_t>(stages) == idle * denominator);
  for (const nlohmann::json& held : json["in_flight"]) CHECK(held.get<std::int64_t>() >= 1);
}

/// A deployment of many stages, which no rule but arithmetic binds.
std::string long_pipeline(const std::string& schedule, int ranks, int chunks, int micro_batches) {
  return R"({"model": "qwen3-235b-a22b", "profile": "universal", "layout": "balanced", "cluster": {"gpus_per_node": 8, "nodes": )" +
         std::to_string(ranks) + R"(}, "strategy": {"pp": )" + std::to_string(ranks) + R"(, "vpp": )" + std::to_string(chunks) +
         R"(, "ep": 8, "dp": 8}, "training": {"micro_batch": 1, "sequence_length": 4096, "schedule": ")" + schedule +
         R"(", "global_batch": )" + std::to_string(8 * micro_batches) + "}}";
}

/// A number of a text, with or without commas between its digits.
std::int64_t number_of(std::string digits) {
  digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
  return std::stoll(digits);
}

/// For how long each letter holds on a rank from `start` to `end`, idle time included, counted unit by unit from the list of its passes.
std::map<char, std::int64_t> letters_between(const nlohmann::json& order, std::int64_t start, std::int64_t end) {
  const std::map<std::string, char> letters{
      {"forward", 'F'}, {"backward", 'B'}, {"input_gradient", 'I'}, {"weight_gradient", 'W'}, {"forward_and_backward", 'X'}};
  std::map<char, std::int64_t> times;
  for (std::int64_t unit = start; unit < end; ++unit) {
    char letter = '.';
    for (const nlohmann::json& o : order)
      if (o["start"] <= unit && unit < o["end"]) {
        letter = letters.at(o["pass"]);
        if (o["chunk"].get<int>() % 2 == 1) letter = static_cast<char>(letter - 'A' + 'a');
      }
    ++times[letter];
  }
  return times;
}

bool schedules_training(const nlohmann::json& deployment) { return deployment.contains("training"); }

} // namespace

// 15360 sequences over DP 128 are 120 micro-batches. (m + p - 1)(F + B) = 135 x 3; (p - 1) / (m + p - 1) = 15 / 135.
TEST_CASE("DeepSeek-V3 on 2048 GPUs, 1F1B") {
  const answer a = pipeline_of_file("deepseek-v3-2048", "--json");
  CHECK(a.status == 0);
  CHECK(a.err.empty());
  const nlohmann::json json = a.json();
  check_answer(json);
  CHECK(json["schedule"] == "1f1b");
  CHECK(json["stages"] == 16);
  CHECK(json["chunks"] == 1);
  CHECK(json["micro_batches"] == 120);
  CHECK(json["makespan"] == 405);
  CHECK(json["bubble_fraction"] == nlohmann::json{{"numerator", 1}, {"denominator", 9}});
  CHECK(json["in_flight"] == nlohmann::json{16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1});
  CHECK(!json.contains("order"));
}

// arXiv 2104.04473, section 2.2: the bubble is a v-th, (p - 1) (F + B) / v, if a chunk takes a v-th of the time.
TEST_CASE("interleaved 1F1B") {
  const answer a = pipeline(trained("\"global_batch\": 64", "\"pp\": 4, \"vpp\": 2, \"ep\": 8, \"dp\": 8"), "--json");
  REQUIRE(a.status == 0);
  const nlohmann::json json = a.json();
  check_answer(json);
  CHECK(json["chunks"] == 2);
  CHECK(json["makespan"] == 2 * 8 * 3 + 3 * 3);
  CHECK(json["in_flight"][0] == 11); // Megatron-LM schedules.py: warm-up 2 x 3 + 4, and one more
}

// deepseek-ai/DualPipe, its README and dualpipe.py: a bubble of (PP / 2 - 1)(F&B + B - 3W) on every rank, PP + 1 in flight. DeepSeek-V3,
// arXiv 2412.19437, figure 5, is this one: eight ranks, twenty micro-batches, those from the last rank numbered 10 to 19.
TEST_CASE("DualPipe") {
  const std::string deployment = trained(R"("global_batch": 80, "schedule": "dualpipe")", R"("pp": 8, "ep": 4, "dp": 4)");
  const nlohmann::json json = pipeline(deployment, "--json --order").json();
  check_answer(json);
  CHECK(json["schedule"] == "dualpipe");
  CHECK(json["stages"] == 8);
  CHECK(json["chunks"] == 2);
  CHECK(json["micro_batches"] == 20);
  CHECK(json["makespan"] == 20 * 3 + 3 * (3 + 2 - 3));
  CHECK(json["bubble_fraction"] == nlohmann::json{{"numerator", 1}, {"denominator", 11}});
  CHECK(json["in_flight"] == nlohmann::json(std::vector<int>(8, 9)));
  CHECK(json["order"][7][0] == nlohmann::json{{"pass", "forward"}, {"chunk", 1}, {"micro_batch", 10}, {"start", 0}, {"end", 1}});
  const std::string text = pipeline(deployment).out;
  CHECK(contains(text, "rank 7  fffffff"));
  CHECK(contains(text, "Lower case: micro-batches that start at the last rank."));
}

// zero-bubble-pipeline-parallelism, scheduler/zb.py and zbv.py with passes of one unit: what they take and hold.
TEST_CASE("zero bubble schedules") {
  const auto json_of = [](const std::string& schedule) {
    const std::string strategy =
        schedule.starts_with("zb_h") ? R"("pp": 4, "ep": 8, "dp": 8)" : R"("pp": 4, "vpp": 2, "ep": 8, "dp": 8)";
    const answer a = pipeline(trained(R"("global_batch": 64, "schedule": ")" + schedule + '"', strategy), "--json");
    CAPTURE(a.err);
    REQUIRE(a.status == 0);
    check_answer(a.json());
    return a.json();
  };
  const nlohmann::json h1 = json_of("zb_h1");
  CHECK(h1["makespan"] == 8 * 3 + 3); // (p - 1)(F + B - W)
  CHECK(h1["in_flight"] == nlohmann::json{4, 4, 4, 4});
  const nlohmann::json v = json_of("zb_v");
  CHECK(v["makespan"] == 51);
  CHECK(v["in_flight"] == nlohmann::json{8, 8, 8, 8});
  CHECK(json_of("v_half")["makespan"] == 53);
  CHECK(json_of("v_min")["makespan"] == 59);
}

TEST_CASE("times that the caller gives") {
  const std::string deployment = trained("\"global_batch\": 64");
  const nlohmann::json one = pipeline(deployment, "--json").json();
  CHECK(one["times"]["forward"] == 1);
  CHECK(one["times"]["backward"] == 2);
  CHECK(one["makespan"] == 11 * 3);
  const nlohmann::json measured = pipeline(deployment, "--json --times 1130,2470,480").json();
  CHECK(measured["makespan"] == 11 * 3600);
  CHECK(measured["bubble_fraction"] == one["bubble_fraction"]);
  CHECK(measured["times"]["input_gradient"] == 1990);
  CHECK(measured["times"]["weight_gradient"] == 480);
  CHECK(measured["times"]["forward_and_backward"] == 3600);
  CHECK(pipeline(deployment, "--json --times 3,6,3,8").json()["times"]["forward_and_backward"] == 8);
}

TEST_CASE("times that cannot be used") {
  for (const char* times : {"1,2", "1", "1,2,1,3,4", "a,2,1", "1,,1", "1,2,1,", "0,2,1", "1,0,0", "1,2,3", "-1,2,1", "1,2,1,0",
                            "1.5,2,1", "9223372036854775807,2,1", "9223372036854775808,2,1"}) {
    const answer a = pipeline(trained("\"global_batch\": 64"), std::string{"--times="} + times);
    CAPTURE(times);
    CHECK(a.status == 2);
    CHECK(contains(a.err, "--times"));
    CHECK(a.out.empty());
  }
  // Two passes at once take neither less than the longer one nor more than both.
  for (const char* times : {"1,2,1,99", "3,5,1,4", "3,5,1,9"}) {
    const answer b = pipeline(trained("\"global_batch\": 64"), std::string{"--times "} + times);
    CHECK(b.status == 2);
    CHECK(contains(b.err, "--times: the fourth time, FB: found "));
  }
  CHECK(contains(pipeline(trained("\"global_batch\": 64"), "--times 1,2,1,99").err,
                 "found 99, expected an integer from 2, the longer of F and B, to 3, F + B; nearest known: \"3\""));
  CHECK(contains(pipeline(trained("\"global_batch\": 64"), "--times 3,5,1,4").err, "nearest known: \"5\""));
  for (const char* times : {"3,5,1,5", "3,5,1,8"})
    CHECK(pipeline(trained("\"global_batch\": 64"), std::string{"--times "} + times).status == 0);
  // Times that can be read but add up to more than 64 bits.
  const answer a = pipeline(trained("\"global_batch\": 64"), "--times 2305843009213693952,2305843009213693952,1");
  CHECK(a.status == 1);
  CHECK(contains(a.err, "64 bits"));
}

TEST_CASE("every operation of every rank") {
  const nlohmann::json json = pipeline(trained("\"global_batch\": 64"), "--json --order").json();
  check_answer(json);
  REQUIRE(json["order"].size() == 4);
  std::int64_t end_of_step = 0;
  for (std::size_t rank = 0; rank < 4; ++rank) {
    const nlohmann::json& order = json["order"][rank];
    CHECK(order.size() == 16);
    std::int64_t end = 0;
    std::map<std::string, int> seen;
    for (const nlohmann::json& o : order) {
      ++seen[o["pass"].get<std::string>() + ' ' + std::to_string(o["micro_batch"].get<int>())];
      CHECK(o["chunk"] == 0);
      CHECK(o["start"].get<std::int64_t>() >= end);
      end = o["end"];
      CHECK(end - o["start"].get<std::int64_t>() == (o["pass"] == "forward" ? 1 : 2));
    }
    CHECK(seen.size() == 16);
    CHECK(order[0]["start"] == rank);
    end_of_step = std::max(end_of_step, end);
  }
  CHECK(json["makespan"] == end_of_step);
  const std::string text = pipeline(trained("\"global_batch\": 64"), "--order").out;
  CHECK(contains(text, "Rank 3 does, in this order\n  F0 B0 F1 B1 F2 B2"));
}

TEST_CASE("every training deployment among the examples has a pipeline") {
  std::size_t met = 0;
  for (const char* folder : {"", "published/", "b200/"})
    for (const auto& entry : std::filesystem::directory_iterator{deployments + folder}) {
      if (entry.path().extension() != ".json") continue;
      const nlohmann::json deployment = nlohmann::json::parse(read_all(entry.path().string()));
      const std::string path = entry.path().string();
      const bool broken = contains(path, "broken");
      CAPTURE(path);
      const answer a = run_tool("pipeline --json '" + path + "'");
      CHECK(a.status == (broken || !schedules_training(deployment) ? 1 : 0));
      if (a.status != 0) continue;
      ++met;
      check_answer(a.json());
      for (const std::string& line : lines_of(run_tool("pipeline '" + path + "'").out)) CHECK(line.size() <= 100);
    }
  CHECK(met > 25);
}

TEST_CASE("the timeline fits a terminal and says its scale") {
  const std::regex row{"rank [0-9]+ +([A-Za-z0-9./ -]+[^ ]) +[0-9]+ +[0-9,]+"};
  for (const char* columns : {"", "60", "80", "100", "150", "nonsense", "-3", "0"}) {
    setenv("COLUMNS", columns, 1);
    const int given = std::atoi(columns);
    const std::size_t width = given > 0 ? static_cast<std::size_t>(given) : 100;
    for (const std::string& batch : {std::string{"8"}, std::string{"64"}, std::string{"1024"}, std::string{"65536"}}) {
      const answer a = pipeline(trained("\"global_batch\": " + batch), batch == "64" ? "--order" : "");
      CAPTURE(a.out);
      CHECK(a.status == 0);
      std::size_t rows = 0;
      std::size_t longest = 0;
      for (const std::string& line : lines_of(a.out)) {
        rows += std::regex_match(line, row) ? 1 : 0;
        longest = std::max(longest, line.size());
      }
      CHECK(rows == 4);
      CHECK(longest <= width);
      const bool fits = batch == "8" || batch == "64";
      CHECK(contains(a.out, "A column is ") == !fits);
      if (!fits) CHECK(longest + 5 > width); // and uses what there is
      CHECK(contains(a.out, "Times are those"));
    }
  }
  unsetenv("COLUMNS");
  // One micro-batch: four columns a unit, and room for its number.
  const std::string text = pipeline(trained("\"global_batch\": 8")).out;
  CHECK(contains(text, "rank 0  F0--" + std::string(36, '.') + "B0------"));
  CHECK(contains(text, "rank 3  " + std::string(12, '.') + "F0--B0------" + std::string(24, '.')));
}

// Every column, by brute force: no letter takes more of it than the one that is shown.
TEST_CASE("a long step is shown at its ends, to scale") {
  struct example {
    const char* schedule;
    int ranks, chunks, micro_batches;
    bool is_cut;
  };
  for (const example& x : {example{"1f1b", 4, 1, 64, true}, example{"1f1b", 16, 1, 120, true}, example{"1f1b", 64, 1, 256, true},
                           example{"1f1b", 4, 2, 64, true}, example{"1f1b", 16, 2, 128, true}, example{"dualpipe", 4, 1, 64, true},
                           example{"dualpipe", 16, 1, 100, true}, example{"zb_h1", 16, 1, 100, true},
                           example{"gpipe", 4, 1, 64, false}, example{"1f1b", 64, 1, 16, false}}) {
    CAPTURE(x.schedule);
    CAPTURE(x.ranks);
    CAPTURE(x.chunks);
    const std::string deployment = long_pipeline(x.schedule, x.ranks, x.chunks, x.micro_batches);
    const answer a = pipeline(deployment);
    REQUIRE(a.status == 0);
    const nlohmann::json json = pipeline(deployment, "--json --order").json();
    const auto makespan = json["makespan"].get<std::int64_t>();
    std::string words = a.out;
    std::replace(words.begin(), words.end(), '\n', ' ');
    std::smatch match;
    REQUIRE(std::regex_search(words, match, std::regex{"A column is ([0-9,]+) unit"}));
    const std::int64_t column = number_of(match[1]);
    std::int64_t cut_from = makespan;
    std::int64_t cut_to = makespan;
    CHECK(std::regex_search(words, match, std::regex{"the units from ([0-9,]+) to ([0-9,]+) are cut"}) == x.is_cut);
    if (x.is_cut) {
      cut_from = number_of(match[1]);
      cut_to = number_of(match[2]);
      // The warm-up is whole, as is the end.
      for (const nlohmann::json& order : json["order"]) {
        const auto is_backward = [](const nlohmann::json& o) { return o["pass"] != "forward"; };
        CHECK((*std::find_if(order.begin(), order.end(), is_backward))["start"] < cut_from);
        std::int64_t last_forward = 0;
        for (const nlohmann::json& o : order)
          if (o["pass"] == "forward" || o["pass"] == "forward_and_backward") last_forward = o["end"];
        CHECK(last_forward > cut_to);
      }
    }
    const std::regex row{"rank ([0-9]+) +([A-Za-z.]+)(?: // ([A-Za-z.]+))? +[0-9]+ +[0-9,]+"};
    std::size_t rows = 0;
    std::int64_t wrong = 0;
    for (const std::string& line : lines_of(a.out)) {
      if (!std::regex_match(line, match, row)) continue;
      ++rows;
      const nlohmann::json& order = json["order"][static_cast<std::size_t>(number_of(match[1]))];
      const auto check = [&](const std::string& letters, std::int64_t from, std::int64_t to) {
        CHECK(static_cast<std::int64_t>(letters.size()) == (to - from + column - 1) / column);
        for (const char letter : letters) {
          const std::map<char, std::int64_t> times = letters_between(order, from, std::min(to, from + column));
          for (const auto& [other, time] : times) wrong += times.count(letter) == 0 || time > times.at(letter) ? 1 : 0;
          from += column;
        }
      };
      if (x.ranks == 64 && rows % 16 != 1) continue; // which are no different
      check(match[2], 0, cut_from);
      if (x.is_cut) check(match[3], cut_to, makespan);
    }
    CHECK(rows == static_cast<std::size_t>(x.ranks));
    CHECK(wrong == 0);
  }
}

TEST_CASE("files are written whole or not at all, and none over another") {
  const temporary_folder folder;
  const std::string deployment = folder.write("d.json", trained("\"global_batch\": 64"));
  const auto run = [&](const std::string& options) { return run_tool("pipeline " + options + " '" + deployment + "'"); };
  const std::string a = folder.file("a");
  const auto files = [&folder] {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{std::filesystem::path{folder.file("a")}.parent_path()})
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  };
  // The second cannot be written: neither is.
  const answer half = run("--svg '" + a + "' --dot /no/such/folder/x");
  CHECK(half.status == 2);
  CHECK(contains(half.err, "/no/such/folder/x"));
  CHECK(half.out.empty());
  CHECK(files() == std::vector<std::string>{"d.json"});
  // What was there before stays.
  CHECK(folder.write("a", "before") == a);
  CHECK(run("--svg '" + a + "' --dot /no/such/folder/x").status == 2);
  CHECK(run("--svg '" + a + "' --dot '" + std::filesystem::path{a}.parent_path().string() + "'").status == 2);
  CHECK(read_all(a) == "before");
  CHECK(run("--svg '" + a + "'").status == 0);
  CHECK(read_all(a).starts_with("<svg "));
  CHECK(files() == std::vector<std::string>{"a", "d.json"});
  // One path for two files, in another spelling too; the deployment's own path; no path at all.
  const std::string same = std::filesystem::path{a}.parent_path().string() + "/./a";
  const answer twice = run("--trace '" + same + "' --svg '" + a + "'");
  CHECK(twice.status == 2);
  CHECK(contains(twice.err, "the same file as that of --svg"));
  std::filesystem::create_symlink(a, folder.file("link"));
  CHECK(run("--trace '" + folder.file("link") + "' --svg '" + a + "'").status == 2);
  CHECK(contains(run("--dot '" + deployment + "'").err, "this is the file that is read"));
  const answer empty = run("--svg ''");
  CHECK(empty.status == 2);
  CHECK(contains(empty.err, "--svg: the path is empty"));
  CHECK(read_all(a).starts_with("<svg "));
  // A link stays one, and what is no regular file stays what it is.
  CHECK(run("--dot '" + folder.file("link") + "'").status == 0);
  CHECK(std::filesystem::is_symlink(folder.file("link")));
  CHECK(read_all(a).starts_with("digraph "));
  CHECK(run("--svg /dev/null").status == 0);
  CHECK(!std::filesystem::is_regular_file("/dev/null"));
}

TEST_CASE("the README's picture is what the tool draws") {
  const std::string documents = MOEPLAN_EXAMPLES "/../docs/";
  const temporary_folder folder;
  REQUIRE(pipeline_of_file("mixtral-8x7b-dualpipe", "--svg '" + folder.file("p.svg") + "'").status == 0);
  CHECK(read_all(folder.file("p.svg")) == read_all(documents + "pipeline-dualpipe.svg"));
  CHECK(contains(read_all(MOEPLAN_EXAMPLES "/../README.md"), "(docs/pipeline-dualpipe.svg)"));
}

TEST_CASE("a picture, a trace and a graph") {
  const temporary_folder folder;
  const std::string files =
      "--svg '" + folder.file("p.svg") + "' --trace '" + folder.file("p.json") + "' --dot '" + folder.file("p.dot") + "'";
  const answer a = pipeline(trained("\"global_batch\": 64"), "--json " + files);
  CHECK(a.status == 0);
  check_answer(a.json());
  CHECK(read_all(folder.file("p.svg")).starts_with("<svg "));
  const nlohmann::json trace = nlohmann::json::parse(read_all(folder.file("p.json")));
  std::size_t passes = 0;
  for (const nlohmann::json& event : trace["traceEvents"]) passes += event["ph"] == "X" ? 1U : 0U;
  CHECK(passes == 4 * 8 * 2);
  CHECK(read_all(folder.file("p.dot")).starts_with("digraph pipeline {"));
  for (const char* option : {"--svg", "--trace", "--dot"}) {
    const answer b = pipeline(trained("\"global_batch\": 64"), std::string{option} + " '" + folder.file("no/such/folder") + "'");
    CHECK(b.status == 2);
    CHECK(contains(b.err, "no/such/folder"));
    CHECK(b.out.empty());
  }
}

TEST_CASE("what has no pipeline") {
  const std::string serving =
      R"({"model": "mixtral-8x7b", "cluster": {"gpus": 8}, "strategy": {"pp": 2, "tp": 4}, "profile": "universal",
    "serving": {"batch": 8, "sequence_length": 4096}})";
  const answer served = pipeline(serving, "--json");
  CHECK(served.status == 1);
  CHECK(contains(served.err, "serves"));
  CHECK(served.json()["ok"] == false);
  const answer product = pipeline(trained("\"global_batch\": 64", "\"pp\": 4, \"dp\": 8, \"mapping\": \"product\""));
  CHECK(product.status == 1);
  CHECK(contains(product.err, "\"folded\""));
  const answer wrong = pipeline(trained("\"global_batch\": 65"), "--json");
  CHECK(wrong.status == 1);
  CHECK(wrong.json()["findings"].size() >= 1);
  const answer long_step = pipeline(trained("\"global_batch\": 80000000"));
  CHECK(long_step.status == 1);
  CHECK(contains(long_step.err, "10,000,000 micro-batches"));
  CHECK(run_tool("pipeline").status == 2);
  CHECK(run_tool("pipeline /no/such/file.json").status == 2);
}

// Interleaving takes groups of at least as many micro-batches as there are ranks (Megatron-LM schedules.py,
// forward_backward_pipelining_with_interleaving). Who checks nobody's rules is told what would happen.
TEST_CASE("a schedule that cannot be followed") {
  const std::string strategy = R"("pp": 4, "vpp": 3, "ep": 8, "dp": 8)";
  nlohmann::json deployment = nlohmann::json::parse(trained(R"("global_batch": 40)", strategy));
  deployment["profile"] = "universal";
  deployment["layout"] = "balanced";
  const answer a = pipeline(deployment.dump());
  CHECK(a.status == 1);
  CHECK(contains(a.err, "not made for 5 micro-batches and 4 ranks of 3 virtual stages"));
  CHECK(contains(a.err, "The ranks would wait for each other for ever"));
  CHECK(std::regex_search(a.err, std::regex{"rank [0-3]:( [FB][0-2]\\.[0-4])+; rank [0-3]:"}));
}

// A deployment that does not fit into memory still has a schedule.
TEST_CASE("memory is not asked for") {
  const answer a = pipeline(trained("\"global_batch\": 64", "\"pp\": 4, \"ep\": 1, \"dp\": 8"), "--json");
  CHECK(a.status == 0);
}

TEST_CASE("a browser draws the picture as it is written") {
  const std::string command = browser();
  if (command.empty()) {
    MESSAGE("skipped: no Chromium is installed (Debian package chromium)");
    return;
  }
  const temporary_folder folder;
  REQUIRE(pipeline(trained("\"global_batch\": 64", "\"pp\": 4, \"vpp\": 2, \"ep\": 8, \"dp\": 8"),
                   "--svg '" + folder.file("p.svg") + "'")
              .status == 0);
  const nlohmann::json drawn = drawn_in_browser(command, read_all(folder.file("p.svg")));
  CAPTURE(drawn.dump());
  REQUIRE(!drawn.contains("error"));
  CHECK(drawn["background"] == "#ffffff");
  CHECK(drawn["boxes"] == 4 * 2 * 8 * 2);
  CHECK(drawn["wrong"] == 0);
  CHECK(drawn["dark"].get<int>() > 1000); // the numbers
  CHECK(drawn["width"].get<int>() > 500);
  CHECK(drawn["height"].get<int>() > 100);
}
