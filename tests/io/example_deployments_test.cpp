// Every deployment file of examples/deployments: it is read, legal, as the schema says, and written back as it was.
#include <moeplan/io/deployment_file.hpp>
#include <moeplan/io/deployment_writer.hpp>
#include <moeplan/verify/check.hpp>
#include <moeplan/verify/claims.hpp>
#include <moeplan/verify/facts.hpp>
#include <moeplan/verify/printed_text.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "io/schema_validator.hpp"

using namespace moeplan;
using namespace moeplan::io;

namespace {

const std::string examples = MOEPLAN_TEST_DATA "/../../examples";

std::vector<std::filesystem::path> deployment_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{examples + "/deployments"})
    if (entry.path().extension() == ".json" && entry.path().parent_path().filename() != "models") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream stream{path};
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

} // namespace

TEST_CASE("every example deployment is legal, but for one that is broken on purpose") {
  std::size_t legal = 0;
  for (const std::filesystem::path& file : deployment_files()) {
    CAPTURE(file.string());
    const findings found = check(read_deployment(file.string()).deployment);
    const bool broken = file.stem().string().ends_with("-broken");
    for (const finding f : found)
      if (!broken) CHECK_MESSAGE(f.level() != severity::error, std::string(f.message().data(), f.message().size()));
    CHECK(found.ok() != broken);
    legal += found.ok() ? 1 : 0;
  }
  CHECK(legal >= 40);
}

TEST_CASE("every example deployment is as the schema says") {
  const json_document schema = read_json(examples + "/schema/deployment.schema.json");
  for (const std::filesystem::path& file : deployment_files()) {
    CAPTURE(file.string());
    CHECK(moeplan_test::schema_validator{schema}.accepts(read_json(file.string()).root));
  }
}

TEST_CASE("every example deployment is the same when it is written and read again") {
  for (const std::filesystem::path& file : deployment_files()) {
    CAPTURE(file.string());
    const deployment d = read_deployment(file.string()).deployment;
    const json_document document = read_json(file.string());
    const auto model = std::find_if(document.root.members.begin(), document.root.members.end(),
                                    [](const json_member& m) { return m.key == "model"; });
    REQUIRE(model != document.root.members.end());
    std::ostringstream written;
    json_writer json{written};
    write_deployment(json, d, model->value);
    CHECK(read_deployment(parse_json(written.str(), file.string())).deployment == d);
  }
}

TEST_CASE("a README names each of its folder's deployments") {
  for (const char* folder : {"b200", "published"}) {
    const std::string text = contents_of(examples + "/deployments/" + folder + "/README.md");
    for (const std::filesystem::path& file : deployment_files()) {
      if (file.parent_path().filename() != folder) continue;
      CHECK_MESSAGE(text.find('(' + file.filename().string() + ')') != std::string::npos, file.string());
    }
  }
}

namespace {

/// What a report would say of a deployment: its sizes, its degrees and how many GPUs there are, and nothing of the layout or of heads' width.
claim_inputs as_reported(const deployment& d) {
  const facts f = facts_of(d);
  claim_inputs told{{claim_input::gpus, f.available},
                    {claim_input::layers, d.model.layers},
                    {claim_input::hidden_size, d.model.hidden_size},
                    {claim_input::heads, d.model.attention.heads},
                    {claim_input::tp_size, d.strategy[axis::tp]},
                    {claim_input::pp_size, d.strategy[axis::pp]},
                    {claim_input::vpp_size, d.strategy[axis::vpp]},
                    {claim_input::cp_size, d.strategy[axis::cp]},
                    {claim_input::ep_size, d.strategy[axis::ep]},
                    {claim_input::etp_size, d.strategy[axis::etp]},
                    {claim_input::dp_size, f.dp}};
  if (d.model.has_experts()) {
    told.set(claim_input::experts, d.model.experts.routed);
    told.set(claim_input::expert_intermediate_size, d.model.experts.intermediate_size);
  }
  if (d.workload.is_serving()) {
    told.set(claim_input::batch, d.workload.serve.batch);
    return told;
  }
  told.set(claim_input::sequence_length, d.workload.sequence_length());
  if (d.workload.train.global_batch.given) told.set(claim_input::global_batch, d.workload.train.global_batch.number);
  told.set(claim_input::micro_batch, d.workload.train.micro_batch);
  return told;
}

} // namespace

TEST_CASE("a report that says no more of a published deployment than its sizes and degrees is right that it can be deployed") {
  std::size_t judged = 0;
  for (const std::filesystem::path& file : deployment_files()) {
    if (file.parent_path().filename() != "published") continue;
    CAPTURE(file.string());
    const deployment d = read_deployment(file.string()).deployment;
    const claim said{.quantity = claim_quantity::deployable, .claimed = "yes"_printed, .inputs = as_reported(d)};
    const claim_verdict v = judge(said);
    const reason_text because = reason(said, v);
    CHECK_MESSAGE(v.holds(), std::string(because.data(), because.size()));
    ++judged;
  }
  CHECK(judged > 30);
}
