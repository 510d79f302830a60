#include <moeplan/verify/claim_audit.hpp>

#include <moeplan/verify/printed_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using in = claim_input;
using q = claim_quantity;

/// Undecided alone.
constexpr claim used(printed_value claimed, text subject) noexcept {
  return {.quantity = q::used_memory, .claimed = claimed, .subject = subject};
}

/// Holds, of 64 GB.
constexpr claim used(printed_value claimed, printed_value share, text subject) noexcept {
  return {.quantity = q::used_memory,
          .claimed = claimed,
          .inputs = {{in::utilisation, share}, {in::capacity, "64 GB"_printed}},
          .subject = subject};
}

BOTH_TIMES("two claims contradict each other if they are about the same and cannot both be", [] {
  EXPECT(contradict(used("17.7 GB"_printed, "a GPU"), used("45 GB"_printed, "a GPU")));
  EXPECT(contradict(used("45 GB"_printed, "a GPU"), used("17.7 GB"_printed, "a GPU")));
  EXPECT(!contradict(used("17.7 GB"_printed, "a GPU"), used("17.74 GB"_printed, "a GPU")));
  EXPECT(contradict(used("17.7 GB"_printed, "a GPU"), used("17.76 GB"_printed, "a GPU")));
  EXPECT(!contradict(used("17.7 GB"_printed, "a GPU"), used("45 GB"_printed, "another GPU")));
  EXPECT(!contradict(used("17.7 GB"_printed, ""), used("45 GB"_printed, "")));
  claim other = used("45 GB"_printed, "a GPU");
  other.quantity = q::left_memory;
  EXPECT(!contradict(used("17.7 GB"_printed, "a GPU"), other));
  claim limit = used("16 GB"_printed, "a GPU");
  limit.relation = claim_relation::less_than;
  EXPECT(!contradict(used("17.7 GB"_printed, "a GPU"), limit));
});

BOTH_TIMES("rates of different things do not contradict each other", [] {
  const auto rate = [](printed_value claimed) {
    return claim{.quantity = q::throughput, .claimed = claimed, .subject = "the cluster"};
  };
  EXPECT(contradict(rate("5 sequences/s"_printed), rate("7 samples/s"_printed)));
  EXPECT(contradict(rate("5/s"_printed), rate("7 tokens/s"_printed)));
  EXPECT(!contradict(rate("5 sequences/s"_printed), rate("7 tokens/s"_printed)));
});

BOTH_TIMES("64 GB and 68.7 GB are the same if one is in powers of 1024", [] {
  EXPECT(!contradict(used("64 GB"_printed, "a GPU"), used("68.7 GB"_printed, "a GPU")));
  EXPECT(!contradict(used("64 GiB"_printed, "a GPU"), used("68.7 GB"_printed, "a GPU")));
  EXPECT(contradict(used("64 GiB"_printed, "a GPU"), used("67.0 GB"_printed, "a GPU")));
});

BOTH_TIMES("of two that are not decided the later one fails", [] {
  const claim claims[] = {used("17.7 GB"_printed, "a GPU"), used("45 GB"_printed, "a GPU"), used("3 GB"_printed, "")};
  audited_claim results[3]{};
  audit(claims, results);
  EXPECT(results[0].outcome() == claim_outcome::undecided);
  EXPECT(results[0].contradicts == optional_integer{1});
  EXPECT(results[1].outcome() == claim_outcome::fails);
  EXPECT(results[1].contradicts == optional_integer{0});
  EXPECT(results[2].outcome() == claim_outcome::undecided);
  EXPECT(!results[2].contradicts.given);
});

BOTH_TIMES("of two of which one holds the other fails, wherever it stands", [] {
  const claim claims[] = {used("45 GB"_printed, "a GPU"), used("32 GB"_printed, "50%"_printed, "a GPU"),
                          used("17.7 GB"_printed, "a GPU")};
  audited_claim results[3]{};
  audit(claims, results);
  EXPECT(results[0].outcome() == claim_outcome::fails);
  EXPECT(results[1].outcome() == claim_outcome::holds);
  EXPECT(results[2].outcome() == claim_outcome::fails);
  EXPECT(results[0].contradicts == optional_integer{1});
  EXPECT(results[1].contradicts == optional_integer{0});
  EXPECT(results[2].contradicts == optional_integer{1});
});

BOTH_TIMES("what fails by itself makes no other fail", [] {
  const claim claims[] = {used("30 GB"_printed, "50%"_printed, "a GPU"), used("17.7 GB"_printed, "a GPU")};
  audited_claim results[2]{};
  audit(claims, results);
  EXPECT(results[0].outcome() == claim_outcome::fails);
  EXPECT(results[1].outcome() == claim_outcome::undecided);
  EXPECT(results[1].contradicts == optional_integer{0});
});

BOTH_TIMES("what holds, each of its own inputs, keeps holding", [] {
  const claim claims[] = {used("32 GB"_printed, "50%"_printed, "a GPU"), used("16 GB"_printed, "25%"_printed, "a GPU")};
  audited_claim results[2]{};
  audit(claims, results);
  EXPECT(results[0].outcome() == claim_outcome::holds);
  EXPECT(results[1].outcome() == claim_outcome::holds);
  EXPECT(results[0].contradicts == optional_integer{1});
});

BOTH_TIMES("a report without claims is one, too", [] { audit({}, {}); });

} // namespace
