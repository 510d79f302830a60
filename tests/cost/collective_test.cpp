#include <moeplan/cost/collective.hpp>

#include <cstdint>
#include <vector>

#include "number/oracle.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;
using namespace moeplan::literals;

namespace {

BOTH_TIMES("bytes a rank, of 1 GB", [] {
  EXPECT(bytes_of_rank(collective::all_reduce, 1_GB, 8) == ratio{1'750'000'000});
  EXPECT(bytes_of_rank(collective::all_gather, 1_GB, 8) == ratio{875'000'000});
  EXPECT(bytes_of_rank(collective::reduce_scatter, 1_GB, 8) == ratio{875'000'000});
  EXPECT(bytes_of_rank(collective::all_to_all, 1_GB, 8) == ratio{875'000'000});
  EXPECT(bytes_of_rank(collective::all_reduce, 1_GB, 2) == ratio{1'000'000'000});
  EXPECT(bytes_of_rank(collective::all_gather, 1_GB, 2) == ratio{500'000'000});
  EXPECT(bytes_of_rank(collective::broadcast, 1_GB, 8) == ratio{1'000'000'000});
  EXPECT(bytes_of_rank(collective::send, 1_GB, 2) == ratio{1'000'000'000});
  EXPECT(bytes_of_rank(collective::shift, 1_GB, 8) == ratio{1'000'000'000});
});

BOTH_TIMES("shares that are no integers stay exact", [] {
  EXPECT(bytes_of_rank(collective::all_gather, 10_B, 3) == ratio{20, 3});
  EXPECT(bytes_of_rank(collective::all_reduce, 10_B, 7) == ratio{120, 7});
  EXPECT(bytes_of_group<count>(collective::all_gather, 10, 3) == 20);
});

BOTH_TIMES("one rank alone sends nothing", [] {
  for (const collective kind : {collective::all_reduce, collective::reduce_scatter, collective::all_gather, collective::all_to_all,
                                collective::broadcast, collective::shift}) {
    EXPECT(bytes_of_group<count>(kind, 100, 1) == 0);
    EXPECT(bytes_of_rank(kind, 100_B, 1) == ratio{0});
  }
});

// NCCL tests, doc/PERFORMANCE.md, summary.
BOTH_TIMES("factors from algorithm bandwidth to bus bandwidth", [] {
  EXPECT(bus_bandwidth_factor(collective::all_reduce, 16) == ratio{30, 16});
  EXPECT(bus_bandwidth_factor(collective::reduce_scatter, 16) == ratio{15, 16});
  EXPECT(bus_bandwidth_factor(collective::all_gather, 16) == ratio{15, 16});
  EXPECT(bus_bandwidth_factor(collective::all_to_all, 16) == ratio{15, 16});
  EXPECT(bus_bandwidth_factor(collective::broadcast, 16) == ratio{1});
  EXPECT(bus_bandwidth_factor(collective::send, 2) == ratio{1});
  EXPECT(in_network_all_reduce_factor(16) == ratio{15, 17});
});

// Of 2^62 bytes on 2^20 ranks.
BOTH_TIMES("a rank's share is there even where the group's bytes overflow", [] {
  const bytes size{count{std::uint64_t{1} << 62}};
  EXPECT(bytes_of_rank(collective::all_gather, size, 1 << 20) == ratio{(std::uint64_t{1} << 62) - (std::uint64_t{1} << 42)});
  EXPECT(bytes_of_group<saturating_count>(collective::all_gather, std::uint64_t{1} << 62, 1 << 20).overflowed());
});
static_assert(!moeplan_test::is_constant<decltype([] {
  return bytes_of_group<count>(collective::all_gather, count{std::uint64_t{1} << 62}, 1 << 20);
})>);

TEST_CASE("bytes of a group in integers of any length") {
  const oracle::integer size = oracle::integer{1} << 80;
  CHECK(bytes_of_group<oracle::integer>(collective::all_reduce, size, 5) == 8 * size);
  CHECK(bytes_of_group<oracle::integer>(collective::shift, size, 5) == 5 * size);
}

/// Who sends how much to whom, by playing the algorithm. Chunks are exact fractions.
class exchange {
public:
  exchange(std::int64_t ranks, std::int64_t size) : ranks_{ranks}, size_{size}, sent_(at(ranks, 0)) {}

  void play(collective kind) {
    const oracle::fraction chunk = oracle::fraction{size_} / ranks_;
    switch (kind) {
      case collective::all_reduce: // a reduce-scatter and an all-gather
        around(2 * (ranks_ - 1), chunk);
        break;
      case collective::reduce_scatter:
      case collective::all_gather: around(ranks_ - 1, chunk); break;
      case collective::all_to_all:
        for (std::int64_t from = 0; from < ranks_; ++from)
          for (std::int64_t to = 0; to < ranks_; ++to)
            if (from != to) sent_[at(from, to)] += chunk;
        break;
      case collective::broadcast: // down a binomial tree from rank 0
        for (std::int64_t have = 1; have < ranks_; have *= 2)
          for (std::int64_t from = 0; from < have && from + have < ranks_; ++from) sent_[at(from, from + have)] += size_;
        break;
      case collective::send: sent_[at(0, 1)] += size_; break;
      case collective::shift: around(1, size_); break;
    }
  }

  [[nodiscard]] oracle::fraction sent_by(std::int64_t rank) const {
    oracle::fraction sum;
    for (std::int64_t to = 0; to < ranks_; ++to) sum += sent_[at(rank, to)];
    return sum;
  }
  [[nodiscard]] oracle::fraction received_by(std::int64_t rank) const {
    oracle::fraction sum;
    for (std::int64_t from = 0; from < ranks_; ++from) sum += sent_[at(from, rank)];
    return sum;
  }

private:
  [[nodiscard]] std::size_t at(std::int64_t from, std::int64_t to) const { return static_cast<std::size_t>(from * ranks_ + to); }

  void around(std::int64_t steps, const oracle::fraction& chunk) {
    for (std::int64_t step = 0; step < steps; ++step)
      for (std::int64_t from = 0; from < ranks_; ++from) sent_[at(from, (from + 1) % ranks_)] += chunk;
  }

  std::int64_t ranks_;
  std::int64_t size_;
  std::vector<oracle::fraction> sent_;
};

TEST_CASE("bytes are those of the algorithms, and what is sent is received") {
  for (const collective kind : {collective::all_reduce, collective::reduce_scatter, collective::all_gather, collective::all_to_all,
                                collective::broadcast, collective::send, collective::shift})
    for (std::int64_t ranks = 2; ranks <= 17; ++ranks) {
      if (kind == collective::send && ranks != 2) continue;
      const std::int64_t size = 1000 + ranks;
      exchange played{ranks, size};
      played.play(kind);
      oracle::fraction sent;
      oracle::fraction received;
      bool each_as_much = true;
      const ratio share = bytes_of_rank(kind, bytes{size}, ranks);
      const oracle::fraction of_rank{oracle::integer{share.numerator.value()}, oracle::integer{share.denominator.value()}};
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        sent += played.sent_by(rank);
        received += played.received_by(rank);
        each_as_much = each_as_much && played.sent_by(rank) == of_rank && played.received_by(rank) == of_rank;
      }
      INFO(static_cast<int>(kind), " on ", ranks);
      CHECK(sent == received);
      CHECK(sent == oracle::fraction{bytes_of_group<oracle::integer>(kind, size, ranks)});
      if (kind == collective::send)
        CHECK(played.sent_by(0) == of_rank);
      else if (kind == collective::broadcast)
        CHECK(played.received_by(1) == of_rank);
      else
        CHECK(each_as_much);
    }
}

} // namespace
