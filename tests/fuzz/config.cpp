// A config.json of Hugging Face: any bytes are read or refused, and a model that check accepts is counted.
#include <moeplan/io/hugging_face.hpp>
#include <moeplan/memory/parameters.hpp>
#include <moeplan/multiprecision.hpp>

#include "judge.hpp"

namespace moeplan_fuzz {

namespace {

void expect_counted(const moeplan::model& m) {
  const auto counts = moeplan::parameters(m);
  const auto exact = moeplan::parameters<moeplan::unbounded>(m);
  const moeplan::count total = counts.total();
  expect(exact.active() <= exact.total() && exact.active() >= 0 && exact.mtp >= 0, "a token visits no more than there is");
  const bool fits = exact.total() < moeplan::unbounded{moeplan::count::top};
  expect(fits != total.overflowed(), "a count overflows exactly when it does not fit");
  if (fits) expect(exact.total() == total.value() && exact.active() == counts.active().value(), "a count is exact");
}

} // namespace

void run(std::string_view input) {
  moeplan::deployment d{.strategy = moeplan::dp{1}, .workload = moeplan::training{.sequence_length = 1}};
  d.profile = moeplan::profile::universal;
  try {
    const moeplan::io::json_document document = moeplan::io::parse_json(input, "config.json");
    d.model = moeplan::io::read_hugging_face(moeplan::io::json_place{document});
  } catch (const moeplan::io::input_error& e) { return expect(e.what()[0] != '\0', "a refusal says why"); }
  if (judge(d).ok()) expect_counted(d.model);
}

} // namespace moeplan_fuzz
