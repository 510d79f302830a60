// Texts that are nearly numbers: what can be read is written and read again, what cannot says where.
#include <moeplan/verify/printed_text.hpp>

#include <cstddef>
#include <iterator>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include <moeplan/verify/printed_words.hpp>

using namespace moeplan;

namespace {

const char* const parts[] = {"~",
                             "1",
                             "64",
                             "8,192",
                             "17.7",
                             "0.016",
                             "000",
                             ".",
                             ",",
                             "-",
                             "/",
                             "1/8",
                             " ",
                             "%",
                             "x",
                             "K",
                             "M",
                             "B",
                             "T",
                             "GB",
                             "MiB",
                             "ms",
                             "us",
                             "s",
                             "/s",
                             "/ms",
                             "tokens/s",
                             "yes",
                             "no",
                             "bytes",
                             "999999999",
                             "\x80",
                             " tokens/s",
                             " req/ms",
                             "billion",
                             " thousand",
                             "\xe2\x80\x93",
                             "FLOP/us"};

std::string draw(std::mt19937& from) {
  std::string t;
  std::uniform_int_distribution<std::size_t> part{0, std::size(parts) - 1};
  for (std::size_t n = std::uniform_int_distribution<std::size_t>{0, 5}(from); n > 0; --n) t += parts[part(from)];
  return t;
}

} // namespace

TEST_CASE("what is read stays the same when it is written and read again") {
  std::mt19937 from{1};
  int wrong = 0;
  int read_ones = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string drawn = draw(from);
    const parsed<printed_value> read = parse_printed(drawn);
    if (!read.ok()) {
      const parse_error& e = read.error;
      wrong += e.position > drawn.size() || e.position + e.found.size() > drawn.size() || e.expected.empty() ? 1 : 0;
      continue;
    }
    ++read_ones;
    text_buffer<80> written;
    append_printed(written, read.value);
    const parsed<printed_value> again = parse_printed(written);
    const bool same = again.ok() && again.value == read.value && !written.truncated();
    CHECK_MESSAGE(same, drawn);
    wrong += same && rounded_value(read.value).contains(exact_value(read.value)) ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(read_ones > 2'000);
}
