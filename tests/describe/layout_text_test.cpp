#include <moeplan/describe/layout_text.hpp>

#include <initializer_list>
#include <string>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// A layout that places multi-token prediction itself.
constexpr layout placed(std::initializer_list<stage_run> runs) {
  layout l{.kind = layout_kind::listed, .places_mtp = true};
  for (const stage_run& run : runs) l.append(run);
  return l;
}

constexpr bool reads_as(text written, const layout& meant) {
  const auto read = parse_layout(written);
  return read.ok() && read.value == meant;
}

constexpr bool refused(const parsed<layout>& read, text problem, text found, std::size_t position) {
  return !read && read.error.problem == problem && read.error.found == found && read.error.position == position &&
         !read.error.expected.empty();
}

BOTH_TIMES("words", [] {
  EXPECT(reads_as("even", layout::even()));
  EXPECT(reads_as("balanced", layout::balanced()));
});

BOTH_TIMES("layers of each stage", [] {
  EXPECT(reads_as("4*15,1", layout::stages({15, 4}, {1, 1})));
  EXPECT(reads_as("8,8,8,8,8,8,8,5", layout::stages({7, 8}, {1, 5})));
  EXPECT(reads_as("16*3,13", layout::stages({3, 16}, {1, 13})));
  EXPECT(reads_as("61", layout::stages({1, 61})));
  EXPECT(reads_as("0,4*2,0", layout::stages({1, 0}, {2, 4}, {1, 0})));
});

BOTH_TIMES("what is no list of layers is refused where it goes wrong", [] {
  EXPECT(refused(parse_layout("4*"), "'*' without a number of stages", "4*", 0));
  EXPECT(refused(parse_layout("4*0"), "'*' without a number of stages", "4*0", 0));
  EXPECT(refused(parse_layout("4*15,1*"), "'*' without a number of stages", "1*", 5));
  EXPECT(refused(parse_layout("4,"), "not a number of layers", "", 2));
  EXPECT(refused(parse_layout("4,,1"), "not a number of layers", "", 2));
  EXPECT(refused(parse_layout("4, 1"), "not a number of layers", " 1", 2));
  EXPECT(refused(parse_layout("4*15,x"), "not a number of layers", "x", 5));
  EXPECT(refused(parse_layout("4*15*2"), "not a number of layers", "4*15*2", 0));
  EXPECT(refused(parse_layout("4,-1"), "not a number of layers", "-1", 2));
  EXPECT(refused(parse_layout("4.5"), "not a number of layers", "4.5", 0));
  EXPECT(refused(parse_layout("9223372036854775808"), "not a number of layers", "9223372036854775808", 0));
  EXPECT(refused(parse_layer_list(""), "not a number of layers", "", 0));
  EXPECT(refused(parse_layout("4*9223372036854775807,4"), "too many different stages in the layout", "4", 22));
});

BOTH_TIMES("Megatron-LM's own example: DeepSeek-V3 over 32 virtual stages", [] {
  const auto read = parse_megatron_layout("Et*3|(tt|)*29,m|L");
  EXPECT(read.ok());
  EXPECT(read.value == placed({{1, 3, 0}, {29, 2, 0}, {1, 0, 1}, {1, 0, 0}}));
  std::int64_t stages = 0;
  std::int64_t decoder = 0;
  std::int64_t mtp = 0;
  for (const stage_run& run : read.value.runs) {
    stages += run.stages;
    decoder += run.stages * run.decoder_layers;
    mtp += run.stages * run.mtp_layers;
  }
  EXPECT(stages == 32);
  EXPECT(decoder == 61);
  EXPECT(mtp == 1);
  EXPECT(reads_as("Ettt|(tt|)*29,m|L", read.value));
  EXPECT(reads_as("E,t*3,|,(t,t,|)*29,,m,|,L", read.value));
});

BOTH_TIMES("Megatron-LM's string in other spellings", [] {
  EXPECT(reads_as("E|t|L", placed({{1, 0, 0}, {1, 1, 0}, {1, 0, 0}})));
  EXPECT(parse_megatron_layout("EtttL").value == placed({{1, 3, 0}}));
  EXPECT(reads_as("Et|(tt|)*30mL", placed({{1, 1, 0}, {30, 2, 0}, {1, 0, 1}})));
  EXPECT(reads_as("Et|(|tt)*2|L", placed({{1, 1, 0}, {1, 0, 0}, {2, 2, 0}, {1, 0, 0}}))); // Et||tt|tt|L
  EXPECT(reads_as("Et|tm*2L", placed({{1, 1, 0}, {1, 1, 2}})));
  EXPECT(reads_as("Et|*3tL", placed({{1, 1, 0}, {2, 0, 0}, {1, 1, 0}}))); // a bar may be repeated too
  EXPECT(reads_as("(Et|)*1tL", placed({{2, 1, 0}})));
  EXPECT(reads_as("E(t*2|)*3L", placed({{3, 2, 0}, {1, 0, 0}})));
});

// Megatron-LM expands "(...)*n" with one regular expression, which finds no group within a group and leaves other brackets where they are.
BOTH_TIMES("groups do not nest, and each is repeated", [] {
  EXPECT(refused(parse_megatron_layout("E((t|)*2tt|)*2L"), "not a token of a layout", "(", 2));
  EXPECT(refused(parse_megatron_layout("E(t|)L"), "a group that is not repeated", "(t|)", 1));
  EXPECT(reads_as("E(t|),*2L", placed({{2, 1, 0}, {1, 0, 0}}))); // a comma means nothing, here too
});

BOTH_TIMES("what is no layout of Megatron-LM's is refused where it goes wrong", [] {
  const auto read = parse_megatron_layout;
  EXPECT(refused(read(""), "the layout does not end with the loss", "", 0));
  EXPECT(refused(read("Ett"), "the layout does not end with the loss", "", 3));
  EXPECT(refused(read("ttL"), "the layout does not begin with the embedding", "t", 0));
  EXPECT(refused(read("|EtL"), "the layout does not begin with the embedding", "|", 0));
  EXPECT(refused(read("EttEL"), "the embedding is not first in the layout", "E", 3));
  EXPECT(refused(read("E*2tL"), "the embedding is not first in the layout", "E", 0));
  EXPECT(refused(read("Et|LL"), "the layout goes on after the loss", "L", 4));
  EXPECT(refused(read("EtL|"), "the layout goes on after the loss", "|", 3));
  EXPECT(refused(read("EtLt"), "the layout goes on after the loss", "t", 3));
  EXPECT(refused(read("Em|tL"), "a decoder layer follows multi-token prediction", "t", 3));
  EXPECT(refused(read("Et]L"), "not a token of a layout", "]", 2));
  EXPECT(refused(read("Et L"), "not a token of a layout", " ", 2));
  EXPECT(refused(read("Et)*2L"), "not a token of a layout", ")", 2));
  EXPECT(refused(read("Et3L"), "not a token of a layout", "3", 2));
  EXPECT(refused(read("Et*2*3L"), "not a token of a layout", "*", 4));
  EXPECT(refused(read("Et*L"), "'*' without how often", "*", 2));
  EXPECT(refused(read("Et*0L"), "'*' without how often", "*0", 2));
  EXPECT(refused(read("Et*-1L"), "'*' without how often", "*", 2));
  EXPECT(refused(read("E(t|)*L"), "'*' without how often", "*", 5));
  EXPECT(refused(read("Et*99999999999999999999L"), "'*' without how often", "*", 2));
  EXPECT(refused(read("E(tL"), "'(' is never closed", "(", 1));
  EXPECT(refused(read("Et()*2L"), "a group without a token", "()", 2));
  EXPECT(refused(read("Et(,)*2L"), "a group without a token", "(,)", 2));
  EXPECT(refused(read("E(t|tt|)*33L"), "too many different stages in the layout", "|", 3));
});

BOTH_TIMES("what is none of the forms", [] {
  EXPECT(refused(parse_layout(""), "not a layout", "", 0));
  EXPECT(refused(parse_layout("uneven"), "not a layout", "uneven", 0));
  EXPECT(refused(parse_layout("-4"), "not a layout", "-4", 0));
});

bool refused_for(const std::string& written, text problem) {
  const auto read = parse_layout(written);
  return !read && read.error.problem == problem;
}

} // namespace

// Each of these would run for minutes if the work were not bounded.
TEST_CASE("absurd layouts are refused") {
  const std::string many(100'000, '(');
  const std::string commas(100'000, ',');
  CHECK(refused_for("(t|)*999999999", "the layout does not begin with the embedding"));
  CHECK(refused_for("E(t|)*999999999L", "the layout is too long"));
  CHECK(refused_for("Et*999999999L", "the layout is too long"));
  CHECK(refused_for("E(t" + commas + ")*999999999L", "the layout is too long"));
  CHECK(refused_for(many, "'(' is never closed"));
}

BOTH_TIMES("layouts are written as they are read", [] {
  for (const text t : {text{"4*15,1"}, text{"1"}, text{"3,2*4,3"}}) {
    text_buffer<128> out;
    append_layer_list(out, parse_layer_list(t).value);
    EXPECT(text{out} == t);
  }
  for (const text t : {text{"EtL"}, text{"Et*4|(t*4|)*14tmL"}, text{"EL"}, text{"Et|t|(t*2|)*3t*2m*2|mL"}, text{"E|(t|)*5L"}}) {
    const layout l = parse_megatron_layout(t).value;
    text_buffer<128> out;
    append_megatron_layout(out, l);
    EXPECT(parse_megatron_layout(text{out}).value == l);
  }
});

BOTH_TIMES("Megatron-LM's string of a layout", [] {
  text_buffer<128> out;
  append_megatron_layout(out, parse_megatron_layout("Ettt|(tt|)*29,m|L").value);
  EXPECT(text{out} == "Et*3|(t*2|)*29m|L");
});
