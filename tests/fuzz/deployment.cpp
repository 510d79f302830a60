// A deployment file: any bytes are read or refused; what is read is written and checked, and what check accepts is computed with.
#include <moeplan/io/deployment_file.hpp>

#include <sstream>

#include <moeplan/io/deployment_writer.hpp>

#include "judge.hpp"

namespace moeplan_fuzz {

namespace {

/// Whether a deployment that was read is the same once it is written and read again.
void expect_read_as_written(const moeplan::io::json_document& document, const moeplan::deployment& d) {
  std::ostringstream text;
  moeplan::io::json_writer json{text};
  moeplan::io::write_deployment(json, d, *document.root.find("model"));
  expect(moeplan::io::read_deployment(moeplan::io::parse_json(text.str(), document.file)).deployment == d,
         "a deployment is read as it was written");
}

} // namespace

void run(std::string_view input) {
  try {
    // A folder that does not exist, so that no file is read that the input names.
    const moeplan::io::json_document document = moeplan::io::parse_json(input, "no/such/folder/deployment.json");
    const moeplan::io::deployment_file file = moeplan::io::read_deployment(document);
    for (const moeplan::io::default_in_force& in_force : file.defaults)
      expect(in_force.key.size() > 1 && !in_force.value.empty() && !in_force.source.empty(), "a default says whose it is");
    expect_read_as_written(document, file.deployment);
    judge(file.deployment);
  } catch (const moeplan::io::input_error& e) { expect(e.what()[0] != '\0', "a refusal says why"); }
}

} // namespace moeplan_fuzz
