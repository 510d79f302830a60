#pragma once

/// @file
/// Schedules: the order of every rank's operations, how much of the time is idle, replay, and the task graph.

#include <moeplan/pipeline/bubble.hpp>
#include <moeplan/pipeline/checkpoints.hpp>
#include <moeplan/pipeline/deadlock.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/pipeline_shape.hpp>
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/stage_times.hpp>
#include <moeplan/pipeline/task_graph.hpp>
#include <moeplan/pipeline/task_ranks.hpp>
