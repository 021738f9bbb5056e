// VQA v2 (Goyal and others, 2017): questions about the pictures of COCO, each answered by ten people. The
// pictures are those of COCO 2014, which COCO 2017 has again under their numbers alone.
#pragma once

#include "manifest/datasets/data_set.hpp"

namespace manifest {

[[nodiscard]] const QuestionSet& vqa_v2();

}  // namespace manifest
