#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <moeplan/describe/schedule.hpp>
#include <moeplan/pipeline/dependencies.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>
#include <moeplan/pipeline/pass_times.hpp>
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/stage_times.hpp>

/// @file
/// One training step of a pipeline, operation by operation with start and end, kept for whoever draws or writes it.

namespace moeplan::io {

struct timeline_entry {
  std::int64_t rank = 0;
  moeplan::operation operation{};
  std::int64_t start = 0;
  std::int64_t end = 0;
};

struct pipeline_timeline {
  pipeline_shape shape{};
  pass_times times{};
  replay_result result{}; ///< an error: `entries` end there
  std::vector<replayed_rank<operation_cursor>> ranks;
  std::vector<timeline_entry> entries; ///< each after all that it waits for; those of one rank in its order

  /// Idle time as a share of the whole. Precondition: the makespan is not 0.
  [[nodiscard]] ratio bubble() const { return mean_idle_share(result, ranks); }
};

/// Replays a built-in schedule in which every chunk takes the same times. Precondition: as for replay.
[[nodiscard]] inline pipeline_timeline timeline_of(const pipeline_shape& shape, const pass_times& times) {
  pipeline_timeline timeline{.shape = shape, .times = times, .result = {}, .ranks = {}, .entries = {}};
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank) timeline.ranks.push_back({operation_cursor{shape, rank}});
  std::vector<std::int64_t> slots(replay_slots(shape).value());
  const auto keep = [&](std::int64_t rank, const operation& o, std::int64_t start, std::int64_t end) {
    timeline.entries.push_back({rank, o, start, end});
  };
  timeline.result = replay(shape, equal_times{.passes = times}, replay_storage<operation_cursor>{timeline.ranks, slots}, keep);
  return timeline;
}

/// The number by which people know a micro-batch: from 0, and in DualPipe those that start at the last rank after those that start at
/// the first (arXiv 2412.19437, figure 5).
[[nodiscard]] inline std::int64_t shown_micro_batch(const pipeline_shape& shape, std::int64_t chunk, std::int64_t micro_batch) {
  const bool from_the_end = shape.schedule == schedule::dualpipe && chunk == 1;
  return micro_batch + (from_the_end ? micro_batches_of_chunk(shape) : 0);
}

/// "F3" forward, "B3" backward, "I3" backward for the input alone, "W3" for the weights, "F7B3" both at once; of several chunks "F1.3":
/// chunk and micro-batch. DualPipe's directions tell themselves apart by the micro-batch.
[[nodiscard]] inline std::string short_name(const pipeline_shape& shape, const operation& o) {
  const bool chunks = chunks_of_rank(shape) > 1 && shape.schedule != schedule::dualpipe;
  const auto part = [&](char letter, std::int64_t chunk, std::int64_t micro_batch) {
    std::string name{letter};
    if (chunks) name += std::to_string(chunk) + '.';
    return name + std::to_string(shown_micro_batch(shape, chunk, micro_batch));
  };
  switch (o.kind) {
    case pass::forward: return part('F', o.chunk, o.micro_batch);
    case pass::backward: return part('B', o.chunk, o.micro_batch);
    case pass::input_gradient: return part('I', o.chunk, o.micro_batch);
    case pass::weight_gradient: return part('W', o.chunk, o.micro_batch);
    case pass::forward_and_backward: break;
  }
  return part('F', o.chunk, o.micro_batch) + part('B', o.backward_chunk, o.backward_micro_batch);
}

} // namespace moeplan::io
