#pragma once

#include <cstdint>

/// @file
/// The part of an attention layer that chooses which tokens are attended to.

namespace moeplan {

/// DeepSeek's lightning indexer: small heads score all earlier tokens, and attention looks at the `top_k` best (DeepSeek-V3.2,
/// arXiv 2512.02556, section 2.1). A default-constructed one means that there is none.
struct sparse_indexer {
  std::int64_t heads = 0;
  std::int64_t head_dim = 0; ///< of the queries; the one key has it too
  std::int64_t top_k = 0;    ///< tokens attended to

  friend constexpr bool operator==(const sparse_indexer&, const sparse_indexer&) noexcept = default;
};

} // namespace moeplan
