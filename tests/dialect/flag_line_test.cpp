#include <moeplan/dialect/flag_line.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

BOTH_TIMES("words stand between blanks", [] {
  line_words words{"  --a 1\t-b  \n c "};
  for (const char* expected : {"--a", "1", "-b", "c"}) {
    EXPECT(!words.done());
    EXPECT(words.next().characters == expected);
  }
  EXPECT(words.done());
});

BOTH_TIMES("a backslash before the end of a line continues it", [] {
  line_words words{"--a 1 \\\n  --b 2 \\"};
  for (const char* expected : {"--a", "1", "--b", "2"}) EXPECT(words.next().characters == expected);
  EXPECT(words.done());
});

BOTH_TIMES("positions count characters from 0", [] {
  line_words words{"--a  'b c' --d='e f'"};
  EXPECT(words.next().position == 0);
  const line_word quoted = words.next();
  EXPECT(quoted.position == 6 && quoted.quoted && quoted.characters == "b c");
  const flag_text f = split_flag(words.next());
  EXPECT(f.position == 11 && f.name == "--d");
  EXPECT(f.value_position == 16 && f.value == "e f");
});

BOTH_TIMES("a flag and its value in one word", [] {
  const flag_text f = split_flag({"--a=b=c", 10, false});
  EXPECT(f.name == "--a" && f.has_value && f.value == "b=c" && f.value_position == 14);
  const flag_text alone = split_flag({"--a", 10, false});
  EXPECT(alone.name == "--a" && !alone.has_value);
  const flag_text empty = split_flag({"--a=", 10, false});
  EXPECT(empty.has_value && empty.value.empty());
});

BOTH_TIMES("a negative number is a value, a flag is none", [] {
  line_words words{"--a -1 --b"};
  (void)words.next();
  EXPECT(words.value_follows());
  (void)words.next();
  EXPECT(!words.value_follows());
  (void)words.next();
  EXPECT(!words.value_follows());
});

BOTH_TIMES("quotation marks that do not enclose a value are errors", [] {
  const auto error_of = [](text line) {
    line_words words{line};
    while (!words.done()) (void)words.next();
    return words.error();
  };
  EXPECT(error_of("--a 'b").problem == "a quotation mark that is never closed");
  EXPECT(error_of("--a 'b").position == 4);
  EXPECT(error_of("--a b'c'").problem == "a quotation mark inside a word");
  EXPECT(error_of("--a 'b'c").problem == "something follows a quotation mark");
  EXPECT(error_of("--a='b' --c \"d e\"").problem.empty());
});
