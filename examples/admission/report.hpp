// What the gate has decided, as text and as JSON.
#pragma once

#include <ostream>
#include <vector>

#include "nodes.hpp"
#include "queue.hpp"

namespace admission {

struct report {
  const std::vector<job>& queue;
  const node_list& before;
  const std::vector<std::int64_t>& left; ///< free GPUs afterwards
  admission::policy policy;
};

std::size_t number_of(const std::vector<job>& queue, verdict v);

void print(std::ostream& out, const report& r);
void write_json(std::ostream& out, const report& r);

} // namespace admission
