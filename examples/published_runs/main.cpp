// Prints README.md of this folder: of published training runs the speed that is claimed and the most that is possible.
#include <iostream>

#include "markdown.hpp"

int main() {
  published_runs::print_markdown(std::cout);
  return std::cout.flush() ? 0 : 1;
}
