#include <moeplan/dialect/framework.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

BOTH_TIMES("every framework is read as it is written", [] {
  for (const framework f : frameworks) {
    EXPECT(parse_framework(name_of(f)).ok());
    EXPECT(parse_framework(name_of(f)).value == f);
    EXPECT(!title_of(f).empty());
  }
});

BOTH_TIMES("what is no framework is named", [] {
  const auto f = parse_framework("nemo");
  EXPECT(!f.ok());
  EXPECT(f.error.found == "nemo");
  EXPECT(f.error.expected == "megatron, torchtitan, vllm, sglang, trtllm or deepspeed");
});

BOTH_TIMES("some train and some serve", [] {
  EXPECT(trains(framework::megatron) && trains(framework::torchtitan) && trains(framework::deepspeed));
  EXPECT(!trains(framework::vllm) && !trains(framework::sglang) && !trains(framework::trtllm));
});
