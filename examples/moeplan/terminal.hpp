// How wide text for people may be.
#pragma once

#include <cstddef>
#include <string>

namespace tool {

/// What the environment's COLUMNS says, but 60 at least; 100 where it says no number.
std::size_t terminal_width();

/// Words in lines of `width` characters at most, each with its end; the second line and those after it begin with `indent` blanks. A longer
/// word has a line of its own. Precondition: words one blank apart, width > indent.
std::string wrapped(const std::string& words, std::size_t width, std::size_t indent = 0);

} // namespace tool
