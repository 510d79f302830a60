#include <moeplan/io/pipeline_dot.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <utility>

using namespace moeplan;
using namespace moeplan::io;

namespace {

/// A graph as it was written.
struct read_graph {
  std::string text;
  std::map<std::string, std::string> labels; ///< of nodes
  std::map<std::string, std::string> ranks;  ///< clusters of nodes, by node
  std::size_t edges = 0;

  explicit read_graph(std::string all) : text{std::move(all)} {
    const std::regex node{R"re((?:subgraph (cluster_rank_\d+) \{ label="[^"]*"; )?(t\d+) \[label="([^"]*)")re"};
    for (std::sregex_iterator at{text.begin(), text.end(), node}, end; at != end; ++at) {
      CHECK(labels.emplace((*at)[2], (*at)[3]).second);
      ranks[(*at)[2]] = (*at)[1];
    }
    const std::regex edge{R"re((t\d+) -> (t\d+))re"};
    for (std::sregex_iterator at{text.begin(), text.end(), edge}, end; at != end; ++at) {
      ++edges;
      CHECK(labels.count((*at)[1]) == 1);
      CHECK(labels.count((*at)[2]) == 1);
    }
  }

  [[nodiscard]] bool joins(const std::string& from, const std::string& to) const {
    for (const auto& [a, label] : labels)
      for (const auto& [b, other] : labels)
        if (label == from && other == to && text.find(a + " -> " + b) != std::string::npos) return true;
    return false;
  }
};

} // namespace

TEST_CASE("one micro-batch through two ranks") {
  std::ostringstream out;
  CHECK(write_pipeline_dot(out, {.ranks = 2, .micro_batches = 1}, gradient_clipping::global_norm).ok());
  CHECK(out.str().starts_with("digraph pipeline {"));
  CHECK(out.str().ends_with("}\n"));
  const read_graph graph{out.str()};
  CHECK(graph.labels.size() == 4 + 2 + 1 + 2);
  // Two orders, two transfers, two reductions, their norm, two steps.
  CHECK(graph.edges == 2 + 2 + 2 + 2 + 2);
  CHECK(graph.joins("F0", "B0"));
  CHECK(graph.joins("B0", "reduce gradients\\nof virtual stage 1"));
  CHECK(graph.joins("norm of all gradients", "optimizer step\\nof rank 0"));
  std::size_t on_rank_1 = 0;
  for (const auto& [node, cluster] : graph.ranks) on_rank_1 += cluster == "cluster_rank_1" ? 1U : 0U;
  CHECK(on_rank_1 == 2);
}

TEST_CASE("without clipping each rank waits for its own gradients alone") {
  std::ostringstream out;
  CHECK(write_pipeline_dot(out, {.ranks = 2, .chunks = 2, .micro_batches = 2}, gradient_clipping::none).ok());
  const read_graph graph{out.str()};
  CHECK(graph.joins("reduce gradients\\nof virtual stage 3", "optimizer step\\nof rank 1"));
  CHECK(!graph.joins("reduce gradients\\nof virtual stage 3", "optimizer step\\nof rank 0"));
  CHECK(graph.joins("F0.0", "F1.0"));
}

TEST_CASE("a tied embedding's gradients are added up before the ranks that hold it update") {
  std::ostringstream out;
  CHECK(write_pipeline_dot(out, {.ranks = 3, .micro_batches = 2}, {gradient_clipping::none, true}).ok());
  const read_graph graph{out.str()};
  const std::string sum = "add up gradients\\nof the tied embedding";
  CHECK(graph.joins("reduce gradients\\nof virtual stage 0", sum));
  CHECK(!graph.joins("reduce gradients\\nof virtual stage 1", sum));
  CHECK(graph.joins("reduce gradients\\nof virtual stage 2", sum));
  CHECK(graph.joins(sum, "optimizer step\\nof rank 0"));
  CHECK(!graph.joins(sum, "optimizer step\\nof rank 1"));
  CHECK(graph.joins(sum, "optimizer step\\nof rank 2"));
}

TEST_CASE("a graph that stops") {
  std::ostringstream out;
  CHECK(write_pipeline_dot(out, {.ranks = 4, .chunks = 3, .micro_batches = 5}, gradient_clipping::none).status ==
        replay_status::deadlock);
  CHECK(out.str().ends_with("}\n"));
  CHECK(out.str().find("optimizer") == std::string::npos);
}
