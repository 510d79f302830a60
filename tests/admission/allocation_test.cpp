// decide() allocates nothing: every operator new of this program counts.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "jobs.hpp"

namespace {

std::atomic<std::int64_t> allocations{0};

void* counted_allocation(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc{};
}

} // namespace

void* operator new(std::size_t size) { return counted_allocation(size); }
void* operator new[](std::size_t size) { return counted_allocation(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

using namespace moeplan_test;

static_assert(noexcept(decide(moeplan::deployment{}, admission::free_gpus{}, policy::best_fit)));

TEST_CASE("the counter counts") {
  const std::int64_t before = allocations;
  const free_list list(3, 8);
  CHECK(list.size() == 3);
  CHECK(allocations > before);
}

TEST_CASE("a decision allocates nothing, whatever it is") {
  random_jobs random{5};
  std::vector<moeplan::deployment> jobs;
  jobs.reserve(2000);
  for (int i = 0; i < 2000; ++i) jobs.push_back(random.job());
  const free_list free(1024, 8);
  const free_list little{3, 0, 2, 8};
  const std::int64_t before = allocations;
  std::int64_t verdicts[3]{};
  for (const moeplan::deployment& d : jobs) {
    for (const policy how : {policy::first_fit, policy::best_fit}) {
      ++verdicts[static_cast<int>(decide(d, free, how).verdict)];
      ++verdicts[static_cast<int>(decide(d, little, how).verdict)];
    }
  }
  const std::int64_t after = allocations;
  CHECK(after == before);
  for (const std::int64_t n : verdicts) CHECK(n > 0);
}
