// Every deployment file of examples/deployments: it is read, legal, as the schema says, and written back as it was.
#include <moeplan/io/deployment_file.hpp>
#include <moeplan/io/deployment_writer.hpp>
#include <moeplan/verify/check.hpp>

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
