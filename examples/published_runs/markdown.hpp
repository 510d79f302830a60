// README.md of this folder.
#pragma once

#include <ostream>

namespace published_runs {

/// For each published run the speed that is claimed and the most that is possible, in Markdown.
void print_markdown(std::ostream& out);

} // namespace published_runs
