// Files that a command writes beside its answer: all of them whole, or none.
#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace tool {

/// Where an option says to write; absent: nowhere.
using output_path = std::optional<std::string>;

/// Files to write. What stands at their paths is replaced once all of them are written, and stays as it is where one cannot be. (What is
/// no regular file, such as /dev/stdout, is written to as it is.)
class output_files {
public:
  /// `input` is a path that the command reads, and so none to write to.
  explicit output_files(std::string input) : input_{std::move(input)} {}

  /// Takes note of a file, if the option gives one. Throws moeplan::io::input_error where its path is empty, or that of the input or of
  /// another file.
  void add(const char* option, const output_path& path, std::function<void(std::ostream&)> write);

  /// Writes them all. Throws moeplan::io::input_error where one cannot be written.
  void write() const;

private:
  struct output {
    std::string option;
    std::string path;
    std::function<void(std::ostream&)> write;
  };

  std::string input_;
  std::vector<output> files_;
};

} // namespace tool
