#include <moeplan/cost/pass_tokens.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("training takes a sequence from its start, with logits and modules for multi-token prediction", [] {
  EXPECT(pass_tokens::whole_sequence(4096) ==
         pass_tokens{.cached = 0, .tokens = 4096, .logits = 4096, .multi_token_prediction = true});
  EXPECT(pass_tokens::whole_sequence(4096).latent == latent_attention_form::expanded);
});

BOTH_TIMES("a prompt needs the logits of its last token only", [] {
  EXPECT(pass_tokens::prompt(100) == pass_tokens{.cached = 0, .tokens = 100, .logits = 1});
  EXPECT(pass_tokens::prompt(100, 28) == pass_tokens{.cached = 28, .tokens = 100, .logits = 1});
  EXPECT(pass_tokens::prompt(0, 28).logits == 0);
});

BOTH_TIMES("decoding adds one token and absorbs latent attention's up-projections", [] {
  EXPECT(pass_tokens::next_token(7) ==
         pass_tokens{.cached = 7, .tokens = 1, .logits = 1, .latent = latent_attention_form::absorbed});
});

} // namespace
