// Runs the command-line tool as a user would, through a shell.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace moeplan_test {

/// What a run of the tool left behind.
struct answer {
  int status = -1; ///< exit status; -1 if a signal ended it
  std::string out;
  std::string err;

  /// Standard output as JSON; a failed test if it is not exactly one value.
  [[nodiscard]] nlohmann::json json() const {
    nlohmann::json value = nlohmann::json::parse(out, nullptr, false);
    REQUIRE_MESSAGE(!value.is_discarded(), out);
    return value;
  }
};

/// A folder of its own that is gone afterwards.
class temporary_folder {
public:
  temporary_folder() {
    static int number = 0;
    path_ = std::filesystem::temp_directory_path() / ("moeplan-test-" + std::to_string(getpid()) + "-" + std::to_string(number++));
    std::filesystem::create_directories(path_);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

  /// Writes a file and returns its path.
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{file(name)} << text;
    return file(name);
  }

private:
  std::filesystem::path path_;
};

inline std::string read_all(const std::string& path) {
  std::ifstream stream{path};
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Runs the tool with arguments in a shell's spelling.
inline answer run_tool(const std::string& arguments) {
  const temporary_folder folder;
  const std::string command = std::string{"'"} + MOEPLAN_TOOL + "' " + arguments + " 2>'" + folder.file("err") + "'";
  answer result;
  std::FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char part[4096];
  while (const std::size_t length = std::fread(part, 1, sizeof part, pipe)) result.out.append(part, length);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) { result.status = WEXITSTATUS(status); }
  result.err = read_all(folder.file("err"));
  return result;
}

/// DeepSeek-V3 on 2048 GPUs, with one part of the text in place of another; absent: as it is.
inline std::string deployment_with(const std::string& part = {}, const std::string& in_place_of = {}) {
  std::string text = R"({
  "model": "deepseek-v3",
  "cluster": {"gpu": "h800-sxm", "gpus_per_node": 8, "nodes": 256},
  "strategy": {"pp": 16, "ep": 64, "dp": 128},
  "layout": "4*15,1",
  "training": {"global_batch": 15360, "micro_batch": 1, "sequence_length": 4096, "recompute": "full"}
}
)";
  const std::size_t at = text.find(in_place_of);
  REQUIRE(at != std::string::npos);
  return text.replace(at, in_place_of.size(), part);
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace moeplan_test
