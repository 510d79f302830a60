#include <moeplan/dialect/reading.hpp>

#include "framework_of_a_test.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;
using namespace moeplan_test;

namespace {

constexpr auto reader_of(text line) {
  flag_reader reader{grammar_of_a_test};
  reader.read(line);
  return reader;
}

constexpr flag_error error_of(text line) { return reader_of(line).result.error; }

} // namespace

BOTH_TIMES("every kind of value", [] {
  const auto r =
      reader_of("serve run.py --size=-3 --on --no-off --truth True --choice left --factor 1.25 --stages 'Et|tL' --model m");
  EXPECT(r.result.ok());
  EXPECT(r.words.size == optional_integer{-3});
  EXPECT(r.words.on && !r.words.off && r.words.truth);
  EXPECT(r.words.choice == "left");
  EXPECT(r.words.factor == ratio{5, 4});
  EXPECT(r.words.stages.runs.size() == 1 && r.words.stages.runs[0].stages == 2);
  EXPECT(r.result.model_name == "m");
});

BOTH_TIMES("other names, underscores for dashes, and the last of several", [] {
  EXPECT(reader_of("-s 1").words.size == optional_integer{1});
  EXPECT(reader_of("--length 2 --size 3").words.size == optional_integer{3});
  EXPECT(reader_of("--old-size 4").words.size == optional_integer{4});
  EXPECT(!reader_of("--no_off").words.off);
});

BOTH_TIMES("the model may stand without a flag",
           [] { EXPECT(reader_of("serve org/model --on").result.model_name == "org/model"); });

BOTH_TIMES("a word that carries its value behind a colon", [] {
  EXPECT(reader_of("mode:right").words.choice == "right");
  EXPECT(error_of("mode:up").position == 5);
});

BOTH_TIMES("the settings of an object are rows", [] {
  EXPECT(reader_of(R"(--object '{"size": 4, "seed": 1}')").words.size == optional_integer{4});
  EXPECT(reader_of("--object.size 5").words.size == optional_integer{5});
  const flag_error e = error_of(R"(--object '{"sise": 4}')");
  EXPECT(e.problem == "an unknown setting" && e.found == "sise" && e.nearest == "--object.size" && e.position == 12);
});

BOTH_TIMES("flags without meaning are listed", [] {
  const auto r = reader_of("--quiet --seed 7 --many a b c --on");
  EXPECT(r.result.ok());
  EXPECT(r.words.on);
  EXPECT(r.result.without_meaning == sequence<text, 64>{{"--quiet", "--seed", "--many"}, 3});
});

BOTH_TIMES("one word for all layers", [] {
  EXPECT(reader_of("--choice left left left").words.choice == "left");
  const flag_error e = error_of("--choice left right");
  EXPECT(e.problem == "several different values" && e.found == "right" && e.position == 14);
});

BOTH_TIMES("any of several words", [] {
  EXPECT(reader_of("").words.some == 1);
  EXPECT(reader_of("--some second third --on").words.some == 6);
  EXPECT(reader_of("--some=third").words.some == 4);
  EXPECT(reader_of("--some first --some second").words.some == 2);
  const flag_error e = error_of("--some first fourth");
  EXPECT(e.found == "fourth" && e.expected == "first second third" && e.position == 13);
});

BOTH_TIMES("an unknown flag, where it stood, and the nearest known one", [] {
  const flag_error e = error_of("--on --sise 3");
  EXPECT(e.problem == "an unknown flag" && e.found == "--sise" && e.nearest == "--size" && e.position == 5);
});

BOTH_TIMES("values that cannot be used", [] {
  EXPECT(error_of("--size x").problem == "not a number");
  EXPECT(error_of("--size x").position == 7);
  EXPECT(error_of("--size 9223372036854775808").problem == "not a number");
  EXPECT(error_of("--size 8k").found == "8k");
  EXPECT(error_of("--size").problem == "a flag without its value");
  EXPECT(error_of("--size --on").problem == "a flag without its value");
  EXPECT(error_of("--on=1").problem == "a flag that takes no value");
  EXPECT(error_of("--truth maybe").problem == "not a truth value");
  EXPECT(error_of("--choice up").expected == "left right");
  EXPECT(error_of("--factor -1").problem == "not a number");
  EXPECT(error_of("--factor 1e3").problem == "not a number");
  EXPECT(error_of("--seed").problem == "a flag without its value");
  EXPECT(error_of("one two").found == "two");
  EXPECT(error_of("--size 'x").problem == "a quotation mark that is never closed");
});

BOTH_TIMES("a layout's error stands where it is in the line", [] {
  const flag_error e = error_of("--stages 'Et|xL'");
  EXPECT(e.problem == "not a token of a layout" && e.position == 13);
});

BOTH_TIMES("words turn the base into what they mean, or one of them is refused", [] {
  constexpr auto translate = [](translation& t, const words_of_a_test& w) {
    if (w.size.value_or(0) < 0) return t.refuse("too small", "--size", "at least 0");
    t.deployment.workload.train.sequence_length = w.size.value_or(0);
    t.without_meaning.push_back("--on");
  };
  const deployment base{.strategy = {tp{2}}, .workload = training{.micro_batch = 3}};
  const reading r = read_flags(grammar_of_a_test, "--size 5 --quiet", base, translate);
  EXPECT(r.ok());
  EXPECT(r.deployment.strategy == strategy(tp{2}));
  EXPECT(r.deployment.workload.train.micro_batch == 3 && r.deployment.workload.train.sequence_length == 5);
  EXPECT(r.without_meaning == sequence<text, 64>{{"--quiet", "--on"}, 2});
  const reading refused = read_flags(grammar_of_a_test, "--on --size -1", base, translate);
  EXPECT(refused.error.problem == "too small" && refused.error.found == "-1" && refused.error.position == 12);
  EXPECT(refused.deployment == deployment{});
});
