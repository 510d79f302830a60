#include <doctest/doctest.h>

#include <moeplan/io/catalog_names.hpp>

#include <iterator>
#include <set>
#include <string>

using namespace moeplan;
using namespace moeplan::io;

TEST_CASE("models are found by name") {
  CHECK(find_in(catalog_models, "deepseek-v3") == &catalog::deepseek_v3);
  CHECK(find_in(catalog_models, "mixtral-8x22b") == &catalog::mixtral_8x22b);
  CHECK(find_in(catalog_models, "deepseek_v3") == nullptr);
  CHECK(find_in(catalog_models, "") == nullptr);
}

TEST_CASE("GPUs are found by name") {
  CHECK(find_in(catalog_gpus, "h800-sxm") == &catalog::h800_sxm);
  CHECK(find_in(catalog_gpus, "h801-sxm") == nullptr);
}

TEST_CASE("a value of the catalog knows its name") {
  CHECK(name_in(catalog_models, catalog::qwen3_32b) == "qwen3-32b");
  CHECK(name_in(catalog_models, model{}).empty());
  CHECK(name_in(catalog_gpus, catalog::h100_sxm) == "h100-sxm");
}

TEST_CASE("the catalog has at least 25 models, published under names of their own") {
  CHECK(std::size(catalog_models) >= 25);
  std::set<std::string> published;
  for (const auto& entry : catalog_models) CHECK(published.insert(entry.published).second);
  for (const auto& entry : catalog_models) CHECK(name_in(catalog_models, *entry.value) == entry.name); // no two are equal
}

TEST_CASE("every name stands once") {
  std::set<std::string> seen;
  for (const std::string& name : names_of(catalog_models)) CHECK(seen.insert(name).second);
  for (const std::string& name : names_of(catalog_gpus)) CHECK(seen.insert(name).second);
}
