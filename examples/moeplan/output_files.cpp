#include "output_files.hpp"

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <moeplan/io/input_error.hpp>

namespace fs = std::filesystem;

namespace tool {

namespace {

/// Where links lead; the path as it is where that cannot be said.
fs::path place_of(const std::string& path) {
  std::error_code error;
  fs::path place = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? fs::path{path} : place;
}

/// By name, or by another name of the same file.
bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return place_of(a) == place_of(b) || fs::equivalent(a, b, error);
}

[[noreturn]] void refuse_to_write(const std::string& path) {
  throw moeplan::io::input_error{{.file = path, .problem = "cannot be written", .expected = "a path that can be written to"}};
}

/// A file beside the one that it is to replace, gone again unless it does.
class temporary_file {
public:
  temporary_file(const std::string& path, std::size_t number) : target_{place_of(path)}, place_{target_} {
    place_ += ".new-" + std::to_string(getpid()) + '-' + std::to_string(number);
  }
  temporary_file(temporary_file&& other) noexcept : target_{std::move(other.target_)}, place_{std::exchange(other.place_, {})} {}
  temporary_file& operator=(temporary_file&&) = delete;
  ~temporary_file() {
    std::error_code ignored;
    if (!place_.empty()) fs::remove(place_, ignored);
  }

  [[nodiscard]] const fs::path& place() const { return place_; }

  /// False: it could not be moved there.
  [[nodiscard]] bool replace_target() {
    std::error_code error;
    const fs::perms permissions = fs::status(target_, error).permissions();
    if (!error && permissions != fs::perms::unknown) fs::permissions(place_, permissions, error);
    fs::rename(place_, target_, error);
    if (!error) place_.clear();
    return !error;
  }

private:
  fs::path target_;
  fs::path place_;
};

/// Whether a path is of something that must not be replaced by a file: a device, a pipe.
bool is_written_in_place(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

} // namespace

void output_files::add(const char* option, const output_path& path, std::function<void(std::ostream&)> write) {
  if (!path) return;
  const auto refuse = [&](const std::string& problem) {
    throw moeplan::io::input_error{
        {.file = option, .problem = problem, .found = '"' + *path + '"', .expected = "the path of a file of its own"}};
  };
  if (path->empty()) refuse("the path is empty");
  if (is_same_file(*path, input_)) refuse("this is the file that is read");
  for (const output& other : files_)
    if (is_same_file(*path, other.path)) refuse("the same file as that of " + other.option);
  files_.push_back({option, *path, std::move(write)});
}

void output_files::write() const {
  std::vector<std::pair<std::string, temporary_file>> written;
  for (const output& file : files_) {
    if (is_written_in_place(file.path)) continue;
    if (fs::is_directory(file.path)) refuse_to_write(file.path);
    temporary_file temporary{file.path, written.size()};
    std::ofstream stream{temporary.place(), std::ios::binary};
    if (stream) file.write(stream);
    if (!stream.flush()) refuse_to_write(file.path);
    written.emplace_back(file.path, std::move(temporary));
  }
  for (const output& file : files_) {
    if (!is_written_in_place(file.path)) continue;
    std::ofstream stream{file.path, std::ios::binary};
    if (stream) file.write(stream);
    if (!stream.flush()) refuse_to_write(file.path);
  }
  for (auto& [path, temporary] : written)
    if (!temporary.replace_target()) refuse_to_write(path);
}

} // namespace tool
