#include <moeplan/dialect/config_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

/// "name=value;" for every setting.
constexpr text_buffer<256> settings_of(text object, parse_error& error, text prefix = {}) {
  text_buffer<256> all;
  auto visit = [&all](const setting& s) {
    all.append(s.name).append('=').append(s.value).append(';');
    return true;
  };
  config_reader reader{object, 0, visit};
  error = reader.read(prefix);
  return all;
}

constexpr parse_error error_of(text object) {
  parse_error error;
  (void)settings_of(object, error);
  return error;
}

} // namespace

BOTH_TIMES("objects within objects become names with points", [] {
  parse_error error;
  const auto all =
      settings_of(R"( {"a": 1, "b": {"c": "x y", "d": {}, "e": {"f": true}}, "g": [1, {"h": "]"}], "i": -2.5e3} )", error);
  EXPECT(error.problem.empty());
  EXPECT(text{all} == R"(a=1;b.c=x y;b.e.f=true;g=[1, {"h": "]"}];i=-2.5e3;)");
});

BOTH_TIMES("a prefix stands before every name", [] {
  parse_error error;
  EXPECT(text{settings_of(R"({"a": 1})", error, "--x.")} == "--x.a=1;");
});

BOTH_TIMES("positions of keys and values", [] {
  std::size_t key = 0;
  std::size_t value = 0;
  auto visit = [&](const setting& s) {
    key = s.key_position;
    value = s.value_position;
    return true;
  };
  config_reader reader{R"({"a": "b"})", 100, visit};
  EXPECT(reader.read({}).problem.empty());
  EXPECT(key == 102 && value == 107);
});

BOTH_TIMES("what is no JSON object is an error with its place", [] {
  EXPECT(error_of("1").problem == "not a JSON object");
  EXPECT(error_of(R"({"a" 1})").position == 5);
  EXPECT(error_of(R"({"a": })").expected == "a value");
  EXPECT(error_of(R"({"a": 1)").expected == "',' or '}' after a value");
  EXPECT(error_of(R"({"a": 1} x)").problem == "something follows the JSON object");
  EXPECT(error_of(R"({"a": "b)").problem == "a string that is never closed");
  EXPECT(error_of(R"({"a": [1)").problem == "an array that is never closed");
  EXPECT(error_of(R"({"a\)").problem == "a string that is never closed");
  EXPECT(error_of("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
                  "{\"a\":1")
             .problem == "objects within objects go too deep");
});
