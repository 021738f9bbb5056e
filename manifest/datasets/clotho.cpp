#include "manifest/datasets/clotho.hpp"

#include "common/digest.hpp"

namespace manifest {
namespace {

constexpr std::string_view k_captions = "clotho_captions_", k_credits = "clotho_metadata_";

std::vector<std::string> tables(const std::string& split) {
  const std::string name = std::string(k_captions) + split + ".csv";
  return {name, "clotho_csv_files/" + name, "csv/" + name};
}

std::string credits_beside(const std::string& table) {
  const std::size_t at = table.find(k_captions);
  return at == std::string::npos ? std::string()
                                 : std::string(table).replace(at, k_captions.size(), k_credits);
}

std::string why_not_a_clip(const std::string& clip_id) {
  if (clip_id.empty()) return "it is empty";
  if (clip_id.size() > 255) return "it has more than 255 bytes";
  for (const char c : clip_id)
    if (c == '/' || (c >= 0 && c < ' ') || c == 0x7f) return "it holds a '/' or a control character";
  return clip_id == "." || clip_id == ".." ? "it names a folder" : "";
}

// The part of the name that everybody can read, and a digest of all of it: one rule for every name, so that
// two names in one folder differ also where only letters that a pack cannot have, or capitals, differ.
std::string pack_stem(const std::string& clip_id) {
  constexpr std::size_t k_readable = 28, k_digits = 12;
  std::string readable;
  for (const char c : clip_stem(clip_id)) {
    const bool is_kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_kept)
      readable += c;
    else if (!readable.empty() && readable.back() != '_')
      readable += '_';
    if (readable.size() == k_readable) break;
  }
  while (!readable.empty() && readable.back() == '_') readable.pop_back();
  return (readable.empty() ? "clip" : readable) + "-" + common::digest_of(clip_id).hex().substr(0, k_digits);
}

Places sources(const ClipEntry& clip) {
  const std::size_t slash = clip.audio_relpath.rfind('/') + 1;
  const std::string own = clip.audio_relpath.substr(0, slash);
  const std::string split = own.substr(own.find('/') + 1);
  std::string flat = split;
  flat.insert(0, "clotho_audio_");
  // In a folder of a pack a clip has the pack's name for it.
  return {{own, split, "clotho_audio_files/" + split, flat, ""},
          {clip.audio_relpath.substr(slash), clip.clip_id}};
}

}  // namespace

const SoundSet& clotho() {
  static const SoundSet k_set = {
      "clotho",
      "Clotho",
      "development",
      "validation",
      std::nullopt,
      "Describe the audio.",
      Scorer::captions,
      "https://zenodo.org/records/4783391",
      {"file_name", "", "", {"caption_1", "caption_2", "caption_3", "caption_4", "caption_5"}},
      std::nullopt,
      CreditColumns{"file_name", "sound_id", "sound_link", "manufacturer", "license"},
      tables,
      credits_beside,
      why_not_a_clip,
      pack_stem,
      sources};
  return k_set;
}

}  // namespace manifest
