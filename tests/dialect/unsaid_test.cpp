#include <moeplan/dialect/unsaid.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

BOTH_TIMES("what is as by default has no sentence", [] {
  writing out;
  note_what_is_not_launched(out, training{});
  note_what_is_not_launched(out, serving{});
  note_fp8(out, training{}, "why");
  note_kernels(out, training{}, "why");
  note_recomputed(out, training{}, "why");
  note_checkpoint(out, serving{}, "why");
  EXPECT(out.complete());
});

BOTH_TIMES("what is no matter of launching", [] {
  writing out;
  note_what_is_not_launched(out, training{.routing = {.load = routing_load::worst, .busiest_share = {1, 4}},
                                          .assumptions = assumptions::memory_analysis(),
                                          .reserve = bytes{12}});
  EXPECT(out.cannot_express.size() == 4);
  EXPECT(text{out.cannot_express[0]} == "routing/load: it is what memory is reckoned for, and launches nothing");
  EXPECT(text{out.cannot_express[1]} == "routing/busiest_share: it is what memory is reckoned for, and launches nothing");
  EXPECT(text{out.cannot_express[2]} == "assumptions: it is what memory is reckoned for, and launches nothing");
  EXPECT(text{out.cannot_express[3]} == "reserve_bytes 12: it is set aside by whoever reckons, not launched");
});

BOTH_TIMES("a sentence for every member that differs", [] {
  writing out;
  note_kernels(out, {.kernels = {false, true, false, true, true}}, "why");
  EXPECT(out.cannot_express.size() == 5);
  EXPECT(text{out.cannot_express[0]} == "kernels/flash_attention: why");
  EXPECT(text{out.cannot_express[4]} == "kernels/hidden_dropout: why");
  writing recomputed;
  note_recomputed(recomputed,
                  {.recompute_modules = {.moe = true}, .recompute_method = recompute_method::block, .recompute_layers = 2}, "why");
  EXPECT(recomputed.cannot_express.size() == 3);
  EXPECT(text{recomputed.cannot_express[2]} == "recompute_layers 2: why");
  writing formats;
  note_fp8(formats, {.precision = {.fp8 = fp8_recipe::mxfp8, .fp8_weights = true}}, "why");
  note_checkpoint(formats, {.weights = weight_format::nvfp4, .quantised = quantised_parts::mlps}, "why");
  EXPECT(formats.cannot_express.size() == 4);
  EXPECT(text{formats.cannot_express[3]} == "quantised: why");
});
