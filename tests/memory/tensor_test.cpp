#include <moeplan/memory/tensor.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr tensor of(saturating_count rows, saturating_count columns, number_type type) {
  return {"a tensor", "a test", rows, columns, type};
}

BOTH_TIMES("bytes of a tensor are rows x columns x size", [] {
  EXPECT(bytes_of(of(3, 5, number_type::bf16)) == 30);
  EXPECT(bytes_of(of(3, 5, number_type::fp32)) == 60);
  EXPECT(bytes_of(of(3, 5, number_type::fp8)) == 15);
  EXPECT(bytes_of(of(0, 5, number_type::fp32)) == 0);
});

BOTH_TIMES("numbers of four bits share bytes, the last of an odd number has its own", [] {
  EXPECT(bytes_of(of(2, 4, number_type::fp4)) == 4);
  EXPECT(bytes_of(of(3, 5, number_type::int4)) == 8);
});

BOTH_TIMES("an allocator gives whole blocks of 512 bytes", [] {
  EXPECT(allocated(0) == 0);
  EXPECT(allocated(1) == 512);
  EXPECT(allocated(512) == 512);
  EXPECT(allocated(513) == 1024);
});

BOTH_TIMES("sizes that do not fit say so", [] {
  constexpr std::uint64_t top = saturating_count::top;
  EXPECT(bytes_of(of(std::int64_t{1} << 62, 4, number_type::int8)).overflowed());
  EXPECT(bytes_of(of(std::int64_t{1} << 62, 1, number_type::fp32)).overflowed());
  EXPECT(bytes_of(of(std::int64_t{1} << 62, 4, number_type::fp4)).overflowed());
  EXPECT(bytes_of(of(std::int64_t{1} << 62, 2, number_type::int8)) == std::uint64_t{1} << 63);
  // Up to the last block that there is.
  EXPECT(allocated(top - 512) == top - 1023 + 512);
  EXPECT(allocated(top - 511).overflowed());
  EXPECT(allocated(top - 1).overflowed());
  saturating_count overflowed;
  overflowed.bits = top;
  EXPECT(allocated(overflowed).overflowed());
});

struct visited {
  int number = 0;
  tensor all[2]{};
  constexpr void operator()(const tensor& t) noexcept { all[number++] = t; }
};

BOTH_TIMES("what is kept is visited once", [] {
  const tensor kept{"kept", "a test", 1, 1, number_type::bf16, 2, 9, true};
  visited seen;
  visit_unless_dropped(seen, kept, false, 5, 7);
  EXPECT(seen.number == 1);
  EXPECT(seen.all[0].from == 2 && seen.all[0].until == 9 && seen.all[0].for_weights);
});

BOTH_TIMES("what recompute drops lives in the forward pass, and again in the backward pass", [] {
  const tensor kept{"kept", "a test", 1, 1, number_type::bf16, 2, 9, true};
  visited seen;
  visit_unless_dropped(seen, kept, true, 5, 7);
  EXPECT(seen.number == 2);
  EXPECT(seen.all[0].from == 2 && seen.all[0].until == 5);
  EXPECT(seen.all[1].from == 7 && seen.all[1].until == 9);
  // Gradients of weights need it once.
  EXPECT(!seen.all[0].for_weights && seen.all[1].for_weights);
});

} // namespace
