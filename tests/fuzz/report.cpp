// A report file: any bytes are read or refused; what is read is audited, and what is said of it holds together.
#include <moeplan/io/report_audit.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <moeplan/io/report_groups.hpp>
#include <moeplan/verify/check.hpp>
#include <moeplan/verify/claim_deployment.hpp>

#include "expect.hpp"

namespace moeplan_fuzz {

namespace {

using moeplan::claim_outcome;

/// What is printed can be read again, and is the same.
void expect_printed(const moeplan::printed_value& v) {
  moeplan::text_buffer<160> words;
  moeplan::append_printed(words, v);
  const moeplan::parsed<moeplan::printed_value> again = moeplan::parse_printed(words);
  expect(!words.truncated() && again.ok() && again.value == v, "a printed number is written as it can be read");
  expect(moeplan::rounded_value(v).contains(moeplan::exact_value(v)), "a number lies within its precision");
}

/// The same with "differs" is the opposite.
void expect_opposite(const moeplan::claim& c) {
  using moeplan::claim_relation;
  if (c.relation != claim_relation::equals && c.relation != claim_relation::differs) return;
  moeplan::claim other = c;
  other.relation = c.relation == claim_relation::equals ? claim_relation::differs : claim_relation::equals;
  const claim_outcome a = moeplan::judge(c).outcome;
  const claim_outcome b = moeplan::judge(other).outcome;
  expect((a == claim_outcome::undecided) == (b == claim_outcome::undecided), "what is undecided is so both ways");
  expect(a == claim_outcome::undecided || a != b, "a claim or its opposite holds");
}

void expect_verdict(const moeplan::io::report_claim& c, const moeplan::io::report_verdict& v) {
  expect(!v.because.empty(), "every verdict has a reason");
  expect(v.missing.empty() || v.computed.empty(), "nothing is computed from what is missing");
  expect(!v.low || (v.high && !v.computed.empty()), "what is computed has two ends, and words");
  if (v.low && v.high && !v.low->is_negative)
    expect(!v.high->is_negative && v.low->size <= v.high->size, "the low end is the lower");
  if (c.document) return expect(v.outcome != claim_outcome::undecided, "a text is JSON or is not");
  expect_printed(c.stated.claimed);
  for (const moeplan::claim_inputs::item& i : c.stated.inputs.items) expect_printed(i.value);
  expect(moeplan::has_suitable_units(c.stated), "what has been read has units that suit");
  expect(!moeplan::reason(c.stated, moeplan::judge(c.stated)).truncated(), "a reason is not cut off");
  expect_opposite(c.stated);
}

/// Claims against each other, pair by pair: which contradict is as audit() says.
void expect_contradictions(const moeplan::io::report_file& file) {
  std::vector<moeplan::claim> claims;
  for (const moeplan::io::report_claim& c : file.claims)
    if (!c.document) claims.push_back(moeplan::io::stated_in(c));
  if (claims.size() > 50) return;
  std::vector<moeplan::audited_claim> audited(claims.size());
  moeplan::audit(claims, audited);
  for (std::size_t a = 0; a < claims.size(); ++a) {
    bool contradicted = false;
    for (std::size_t b = 0; b < claims.size(); ++b) {
      if (a == b || !moeplan::contradict(claims[a], claims[b])) continue;
      contradicted = true;
      expect(moeplan::contradict(claims[b], claims[a]), "contradictions are mutual");
      const bool both_open = audited[a].outcome() == claim_outcome::undecided && audited[b].outcome() == claim_outcome::undecided;
      expect(!both_open, "of two that contradict each other one is decided");
    }
    expect(audited[a].contradicts.given == contradicted, "a contradiction is named");
  }
}

void expect_strategy(const moeplan::io::report_file& file, const moeplan::io::report_strategy& s) {
  const moeplan::claim_inputs numbers = moeplan::io::numbers_of(file, s);
  const moeplan::deployment d = moeplan::deployment_described_by(numbers);
  const moeplan::findings found = moeplan::check(d);
  for (const moeplan::finding f : found) expect(f.message().size() != 0, "a finding has words");
  for (const moeplan::io::report_groups& groups : s.groups)
    for (const std::string& complaint : moeplan::io::group_complaints(groups, d.strategy[groups.of], d.cluster.total))
      expect(!complaint.empty() && complaint.size() < 1'000, "a complaint about groups is a sentence");
}

void judge(const moeplan::io::report_file& file) {
  const std::vector<moeplan::io::report_verdict> verdicts = moeplan::io::audit_report(file);
  expect(verdicts.size() == file.claims.size(), "every claim has a verdict");
  for (std::size_t i = 0; i < verdicts.size(); ++i) expect_verdict(file.claims[i], verdicts[i]);
  expect_contradictions(file);
  for (const moeplan::io::report_strategy& s : file.strategies) expect_strategy(file, s);
}

} // namespace

void run(std::string_view input) {
  // Documents are files of this machine, and none of what is tested here.
  if (input.find("document") != std::string_view::npos || input.find("\\u") != std::string_view::npos) return;
  try {
    judge(moeplan::io::read_report(moeplan::io::parse_json(input, "report.json")));
  } catch (const moeplan::io::input_error& e) { expect(e.what()[0] != '\0', "a refusal says why"); }
}

} // namespace moeplan_fuzz
