// The cards of the page: questions whose answer flipped, and clips with what was said of them.
#pragma once

#include <string>

#include "trainer/report/comparison.hpp"
#include "trainer/report/media.hpp"

namespace trainer {

[[nodiscard]] std::string examples_html(const Comparison& comparison, const Examples& examples);

// The pictures and sounds on a page that examples_html wrote, by the id of their question or clip.
[[nodiscard]] EmbeddedMedia embedded_media(const std::string& page);

}  // namespace trainer
