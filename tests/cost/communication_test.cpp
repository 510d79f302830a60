#include <moeplan/cost/communication.hpp>

#include <cstdint>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("bytes of a step", [] {
  communication c;
  c.kind = collective::all_gather;
  c.ranks = 8;
  c.size = 1000;
  c.times = 3;
  EXPECT(c.group_bytes() == 21'000);
  EXPECT(c.senders() == 8);
  c.kind = collective::send;
  c.ranks = 2;
  EXPECT(c.group_bytes() == 3000);
  EXPECT(c.senders() == 1);
  c.size = std::uint64_t{1} << 63;
  EXPECT(c.group_bytes().overflowed());
});

constexpr bool is_empty(const char* name) { return *name == '\0'; }

constexpr bool is_same(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}

BOTH_TIMES("everything has a name of its own", [] {
  constexpr auto last_purpose = static_cast<std::uint16_t>(communication_purpose::whole_parameters);
  for (std::uint16_t i = 0; i <= last_purpose; ++i)
    for (std::uint16_t j = 0; j <= i; ++j)
      EXPECT(is_same(name_of(static_cast<communication_purpose>(i)), name_of(static_cast<communication_purpose>(j))) == (i == j));
  EXPECT(is_empty(name_of(static_cast<communication_purpose>(last_purpose + 1))));
  constexpr auto last_kind = static_cast<std::uint16_t>(collective::shift);
  for (std::uint16_t i = 0; i <= last_kind; ++i)
    for (std::uint16_t j = 0; j <= i; ++j)
      EXPECT(is_same(name_of(static_cast<collective>(i)), name_of(static_cast<collective>(j))) == (i == j));
  constexpr auto last_pass = static_cast<std::uint16_t>(communication_pass::update);
  for (std::uint16_t i = 0; i <= last_pass; ++i)
    for (std::uint16_t j = 0; j <= i; ++j)
      EXPECT(is_same(name_of(static_cast<communication_pass>(i)), name_of(static_cast<communication_pass>(j))) == (i == j));
  EXPECT(is_empty(name_of(static_cast<collective>(last_kind + 1))) &&
         is_empty(name_of(static_cast<communication_pass>(last_pass + 1))));
});

} // namespace
