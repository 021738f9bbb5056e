// Whose pictures they are: what a COCO file (instances_val2014.json, captions_val2014.json or image_info of
// either year) says of each image, by the image's file name. Only the named ones are kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/progress.hpp"
#include "manifest/format/recipe.hpp"

namespace manifest {

struct CocoImage {
  std::int64_t licence = 0;  // a key of CocoImages::licences
  std::string source;        // flickr_url, or coco_url where there is none
};

struct CocoImages {
  std::map<std::int64_t, Licence> licences;  // as the files number them
  std::map<std::string, CocoImage> images;   // by file name
};

// Several files may share images and licences as long as they agree. Throws a format error that names the
// file and the row where one is not of this kind, mismatch where two files disagree.
[[nodiscard]] CocoImages read_coco_images(const std::vector<std::filesystem::path>& files,
                                          const std::set<std::string>& wanted, common::Verbosity verbosity);

}  // namespace manifest
