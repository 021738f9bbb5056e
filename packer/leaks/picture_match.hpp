// Whether two pictures are one picture: encoded again, scaled, in grey, brighter, of other contrast, or cut
// at its borders. A hash says quickly which pairs are worth a look; a look finds how one lies in the other,
// and how well its pixels agree there.
#pragma once

#include <optional>

#include "packer/leaks/vision_interface.hpp"

namespace packer {

// Bits that may differ between the hash of a picture and that of the window it was cut from.
inline constexpr int k_hash_bits = 12;

// 1 - correlation of the pixels; of their details, what is left where each one's surroundings are taken away,
// since pictures of one outline (letters, playing cards) differ there; and of the details of the ninth part
// that agrees least, since pages of one frame, or coins of two values, differ in a part.
struct Likeness {
  double distance = 1, detail = 1, worst_part = 1;
  [[nodiscard]] bool is_near_duplicate() const {
    return distance <= 0.15 && detail <= 0.15 && worst_part <= 0.5;
  }
};

// Nothing to compare: grey levels that hardly differ, or a gradient without details.
[[nodiscard]] bool is_flat(const PictureMark& mark);

// Symmetric. Nothing where not even the hashes are alike.
[[nodiscard]] std::optional<Likeness> compare_pictures(const PictureMark& a, const PictureMark& b);

}  // namespace packer
