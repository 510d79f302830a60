#include <moeplan/io/search_file.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "schema_validator.hpp"

using namespace moeplan;
using namespace moeplan::io;
using moeplan_test::schema_validator;

namespace {

const std::string examples = MOEPLAN_TEST_DATA "/../../examples";

const json_document& schema(const std::string& name) {
  static const json_document search = read_json(examples + "/schema/search.schema.json");
  static const json_document deployment = read_json(examples + "/schema/deployment.schema.json");
  return name == "search" ? search : deployment;
}

std::string spelled(const std::string& strategy, const std::string& training = {}, const std::string& rest = {}) {
  return R"({"model": "mixtral-8x7b", "cluster": {"gpus": 64}, "strategy": )" + strategy +
         R"(, "training": {"sequence_length": 4096)" + training + "}" + rest + "}";
}

search_space read(const std::string& text) { return read_search(parse_json(text, "s.json")).space; }

std::string error_of(const std::string& text) {
  try {
    (void)read(text);
  } catch (const input_error& error) { return error.what(); }
  return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("an absent degree is free, a number is pinned, a list is a list") {
  const search_space s = read(spelled(R"({"tp": 2, "pp": [4, 1, 8], "order": "tp-cp-ep-dp-pp"})"));
  CHECK((s.tp == search_values{2}));
  CHECK((s.pp == search_values{4, 1, 8}));
  for (const search_values* free : {&s.cp, &s.ep, &s.etp, &s.vpp, &s.dp, &s.sp}) CHECK((*free == search_values{}));
  CHECK((s.micro_batch == search_values::as_described()));
  CHECK(s.layouts.empty());
  CHECK(s.recomputes.empty());
  CHECK(s.base.model.layers == 32);
  CHECK(s.base.workload.train.sequence_length == 4096);
}

TEST_CASE("the whole strategy may be absent") {
  const search_space s = read(R"({"model": "mixtral-8x7b", "cluster": {"gpus": 64}, "training": {"sequence_length": 4096}})");
  for (const search_values* free : {&s.tp, &s.pp, &s.cp, &s.ep, &s.etp, &s.vpp, &s.dp, &s.sp}) CHECK((*free == search_values{}));
}

TEST_CASE("values of training and layouts may be lists") {
  const search_space s = read(spelled(
      "{}",
      R"(, "micro_batch": [1, 2], "recompute": ["none", "full"], "recompute_method": "block", "recompute_layers": 3, "sharding": ["optimizer", "none"], "schedule": ["1f1b", "zb_v"])",
      R"(, "layout": ["balanced", "both_as_layers"])"));
  CHECK((s.micro_batch == search_values{1, 2}));
  REQUIRE(s.recomputes.size() == 2);
  CHECK((s.recomputes[0].recompute == recompute::none));
  CHECK((s.recomputes[1].recompute == recompute::full));
  CHECK((s.recomputes[1].method == recompute_method::block));
  CHECK(s.recomputes[1].layers == 3);
  CHECK((s.shardings[0] == sharding::optimizer));
  CHECK((s.shardings[1] == sharding::none));
  CHECK((s.schedules[1] == schedule::zb_v));
  CHECK((s.layouts[0] == search_layout::balanced));
  CHECK((s.layouts[1] == search_layout::both_as_layers));
}

TEST_CASE("the order of ranks is one, a list or the nearest") {
  const search_space one = read(spelled(R"({"order": "tp-dp-pp"})"));
  CHECK(one.orders.empty());
  CHECK((one.base.strategy.order == rank_order{"tp-dp-pp"}));
  const search_space some = read(spelled(R"({"order": ["ep-tp-cp-dp-pp", "tp-cp-ep-dp-pp"]})"));
  REQUIRE(some.orders.size() == 2);
  CHECK((some.orders[0] == rank_order{"ep-tp-cp-dp-pp"}));
  CHECK((some.orders[1] == rank_order{}));
  CHECK_FALSE(some.nearest_order);
  const search_space nearest = read(spelled(R"({"order": "nearest"})"));
  CHECK(nearest.nearest_order);
  CHECK(nearest.orders.empty());
  CHECK((nearest.base.strategy.order == rank_order{}));
  CHECK(contains(error_of(spelled(R"({"order": ["tp-pp", "tp-ec"]})")), "/strategy/order/1"));
  CHECK(contains(error_of(spelled(R"({"order": ["tp-pp", "nearest"]})")), "/strategy/order/1"));
  CHECK(contains(error_of(spelled(R"({"order": ["tp-pp", "tp-pp"]})")), "/strategy/order/1"));
  CHECK(contains(error_of(spelled(R"({"order": []})")), "/strategy/order"));
  CHECK(contains(error_of(spelled(R"({"order": 3})")), "/strategy/order"));
  for (const char* order :
       {R"("tp-dp-pp")", R"("nearest")", R"(["ep-tp-cp-dp-pp", "TP-PP"])", "3", "[]", R"(["nearest"])", R"("near")"}) {
    const std::string text = spelled(R"({"order": )" + std::string{order} + "}");
    CAPTURE(text);
    CHECK(schema_validator{schema("search")}.accepts(parse_json(text, "s.json").root) == error_of(text).empty());
  }
}

TEST_CASE("words for what is not a list") {
  const search_space s = read(spelled("{}", R"(, "global_batch": 8, "micro_batch": "free", "recompute": "smallest")"));
  CHECK((s.micro_batch == search_values{}));
  CHECK(s.smallest_recompute);
  const search_space all = read(spelled("{}", R"(, "sharding": "free", "schedule": "free")", R"(, "layout": "free")"));
  CHECK(all.shardings.size() == 4);
  CHECK(all.schedules.size() == 9);
  CHECK(all.layouts.size() == 5);
  CHECK(contains(error_of(spelled("{}", R"(, "micro_batch": "free")")), "/training/micro_batch"));
  CHECK(contains(error_of(spelled("{}", R"(, "recompute": "smallest", "recompute_layers": 2)")), "/training/recompute_layers"));
}

TEST_CASE("what cannot be used is named by its path") {
  CHECK(contains(error_of(spelled(R"({"tp": [1, "2"]})")), "/strategy/tp/1"));
  CHECK(contains(error_of(spelled(R"({"tp": [1, 2, 1]})")), "/strategy/tp/2"));
  CHECK(contains(error_of(spelled(R"({"tp": []})")), "/strategy/tp"));
  CHECK(contains(error_of(spelled(R"({"tq": 1})")), "/strategy/tq"));
  CHECK(contains(error_of(spelled("{}", R"(, "sharding": ["zero"])")), "/training/sharding/0"));
  CHECK(contains(error_of(spelled("{}", "", R"(, "layout": ["uneven"])")), "/layout/0"));
  CHECK(contains(error_of(spelled("[]")), "/strategy"));
  std::string many = "1";
  for (int i = 2; i <= 33; ++i) many += ", " + std::to_string(i);
  CHECK(contains(error_of(spelled("{\"dp\": [" + many + "]}")), "at most 32"));
}

TEST_CASE("every deployment is a search space: itself, as far as it gives degrees") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{examples + "/deployments"}) {
    if (entry.path().extension() != ".json") continue;
    const std::string path = entry.path().string();
    CAPTURE(path);
    const deployment d = read_deployment(path).deployment;
    const search_space s = read_search(path).space;
    CHECK((s.base == d));
    CHECK((s.pp.what == (d.strategy.gives(axis::pp) ? search_values::kind::listed : search_values::kind::free)));
    CHECK(schema_validator{schema("search")}.accepts(read_json(path).root));
    ++files;
  }
  CHECK(files > 4);
}

TEST_CASE("the example searches are read, as the schema says") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{examples + "/searches"}) {
    const std::string path = entry.path().string();
    CAPTURE(path);
    CHECK((read_search(path).space.tp.what == search_values::kind::listed));
    CHECK(schema_validator{schema("search")}.accepts(read_json(path).root));
    ++files;
  }
  CHECK(files >= 2);
}

// The deployment's schema is held to its reader; this one has the same keys everywhere.
TEST_CASE("the schema has the keys of the deployment's, and accepts what is read and nothing else") {
  for (const char* part : {"strategy", "training", "serving", "routing", "precision", "kernels", "overlap"}) {
    CAPTURE(part);
    const auto keys = [&part](const char* which) {
      std::vector<std::string> all;
      for (const json_member& m : schema(which).root.find("$defs")->find(part)->find("properties")->members) all.push_back(m.key);
      return all;
    };
    CHECK(keys("search") == keys("deployment"));
  }
  const schema_validator validator{schema("search")};
  std::vector<std::string> texts{spelled("{}"),
                                 spelled(R"({"tp": 0, "pp": [-4, 9223372036854775807]})"),
                                 spelled("{}", R"(, "recompute": "smallest")"),
                                 spelled("{}", R"(, "sharding": "free", "schedule": "free")", R"(, "layout": "free")"),
                                 spelled("{}", R"(, "recompute": "free")"),
                                 spelled("{}", R"(, "optimizer": "free")"),
                                 spelled("{}", R"(, "global_batch": 8, "micro_batch": "free")"),
                                 spelled("{}", R"(, "micro_batch": [3])"),
                                 spelled("{}", "", R"(, "layout": "4*8")"),
                                 spelled("{}", "", R"(, "layout": {"first": 2})"),
                                 spelled(R"({"tp": []})"),
                                 spelled(R"({"tp": [1, 1]})"),
                                 spelled(R"({"tp": [1.5]})"),
                                 spelled(R"({"tp": "free"})"),
                                 spelled(R"({"tp": null})"),
                                 spelled("{}", R"(, "recompute": ["smallest"])"),
                                 spelled("{}", R"(, "recompute": [])"),
                                 spelled("{}", R"(, "sharding": [1])"),
                                 spelled("{}", R"(, "optimizer": ["adam"])"),
                                 spelled("{}", "", R"(, "layout": ["even", "even"])"),
                                 spelled("{}", "", R"(, "layout": ["4*8"])"),
                                 spelled("{}", "", R"(, "profile": ["megatron"])"),
                                 spelled("1")};
  for (const char* key : {"sharding", "schedule", "recompute"})
    for (const char* value : {R"("none")", R"(["none"])", R"("1f1b")", R"(["1f1b", "gpipe"])", R"(["none", "none"])", "true"})
      texts.push_back(spelled("{}", std::string{", \""} + key + "\": " + value));
  int accepted = 0;
  for (const std::string& text : texts) {
    CAPTURE(text);
    const bool is_read = error_of(text).empty();
    CHECK(validator.accepts(parse_json(text, "s.json").root) == is_read);
    accepted += is_read;
  }
  CHECK(accepted > 10);
}
