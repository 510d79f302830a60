// Every published deployment that trains is among the legal strategies of its model on its cluster.
#include <moeplan/io/deployment_file.hpp>
#include <moeplan/search/search.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

using namespace moeplan;

namespace {

std::vector<std::string> published() {
  std::vector<std::string> files;
  for (const char* folder : {"/deployments", "/deployments/published"})
    for (const auto& entry : std::filesystem::directory_iterator{std::string{MOEPLAN_TEST_DATA "/../../examples"} + folder})
      if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

} // namespace

TEST_CASE("the search finds what was published, with the memory that it takes") {
  int found = 0;
  for (const std::string& file : published()) {
    CAPTURE(file);
    const deployment d = io::read_deployment(file).deployment;
    const findings judged = check(d);
    if (!judged.ok()) continue;
    search_space space;
    space.base = d;
    strategy wanted = d.strategy;
    for (const axis a : {axis::tp, axis::pp, axis::ep, axis::etp, axis::cp, axis::sp}) wanted.set(a, d.strategy[a]);
    wanted.set(axis::vpp, judged.facts.vpp);
    wanted.set(axis::dp, judged.facts.dp);
    search_candidate match;
    const search_counts counts = visit_strategies(space, [&](const search_candidate& c) {
      match = c;
      return c.strategy == wanted;
    });
    CHECK(counts.ended);
    CHECK(match.gpus == judged.facts.gpus);
    CHECK(match.peak_bytes == judged.facts.peak_bytes);
    CHECK(match.memory_known == judged.facts.knows(known::memory));
    ++found;
  }
  CHECK(found >= 30);
}
