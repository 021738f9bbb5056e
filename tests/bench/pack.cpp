// What speed.py cannot do with the programs: a corpus of the sizes that the real one has, a zip like COCO's,
// and a build that does not decode what it copies, as cp does not.
#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/media/audio.hpp"
#include "common/media/image.hpp"
#include "common/program.hpp"
#include "common/sealed/draft_file.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/format/write.hpp"
#include "packer/build/build.hpp"

namespace {

namespace fs = std::filesystem;

constexpr int k_clips = 400;
constexpr int k_pictures = 500;
constexpr int k_rate_hz = 48000;
constexpr std::size_t k_picture_bytes = 160'000;
// val2014 has this many pictures; each 81st is one of the 500.
constexpr int k_zip_pictures = 40'504;
constexpr int k_zip_stride = 81;

std::string picture_name(int number) { return fmt::format("COCO_val2014_{:012}.jpg", 42 + 14 * number); }

// Not synced one by one, as the sources of a pack are not either.
void put(const fs::path& path, const common::Bytes& bytes) {
  common::File file = common::create_new(path);
  file.write_all(bytes, path);
  file.close(path);
}

// Ten seconds that gzip can do as little with as with a recording: soft noise with a slow envelope, and a
// hum.
common::Bytes recording(int number) {
  std::mt19937 random(static_cast<unsigned>(number));
  common::Waveform sound{k_rate_hz, 1, {}};
  const double loudness = 0.02 + 0.2 * static_cast<double>(random()) / 4294967296.0;
  double soft = 0;
  for (int i = 0; i < 10 * k_rate_hz; ++i) {
    const double white = static_cast<double>(random()) / 2147483648.0 - 1;
    soft += 0.3 * (white - soft);
    const double envelope = 0.6 + 0.4 * std::sin(i * (1 + number % 7) * 1e-4);
    sound.samples.push_back(static_cast<float>(loudness * envelope * (soft + 0.3 * std::sin(i * 0.02))));
  }
  return common::encode_wav16(sound);
}

// The header of a JPEG, and bytes that compress as a JPEG's do: not.
common::Bytes picture(int number, std::size_t bytes) {
  static const common::Bytes head = common::encode_jpeg({640, 480, common::Bytes(3 * 640 * 480)}, 90);
  std::mt19937_64 random(static_cast<unsigned>(number));
  common::Bytes file(head.begin(), head.begin() + 640);
  while (file.size() < bytes) {
    const std::uint64_t word = random();
    for (int shift = 0; shift < 64; shift += 8) file.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  file.resize(bytes);
  return file;
}

void make_corpus(const fs::path& root) {
  const fs::path sounds = root / "audiocaps/audio/train", pictures = root / "vqa/images/val2014";
  fs::create_directories(sounds);
  fs::create_directories(pictures);
  manifest::SubsetManifest subset{"bench", "made by a benchmark", 42, "noise", "audio/train", {}};
  for (int i = 0; i < k_clips; ++i) {
    const std::string id = fmt::format("clip_{:06}", i);
    subset.entries.push_back({std::to_string(i), id, 0.0, "noise", {}, "audio/train/" + id + ".wav"});
    put(sounds / (id + ".wav"), recording(i));
  }
  manifest::VqaManifest val{"bench", "made by a benchmark", 123, "noise", {}, {}};
  for (int i = 0; i < k_pictures; ++i) {
    const std::string name = picture_name(i * k_zip_stride);
    const std::vector<std::string> answers(10, "noise");
    val.entries.push_back({i, 42 + 14 * i * k_zip_stride, name, "What is it?", answers, "noise"});
    put(pictures / name, picture(i * k_zip_stride, k_picture_bytes));
  }
  fs::create_directories(root / "E");
  common::write_file(root / "E/subset_manifest.json", manifest::write_subset(subset));
  // A pack must have a clip; this one is as good as none where images alone are timed.
  subset.entries.resize(1);
  common::write_file(root / "E/one_clip.json", manifest::write_subset(subset));
  common::write_file(root / "E/val_manifest.json", manifest::write_vqa(val));
}

void make_zip(const fs::path& path, std::size_t bytes) {
  archive* writer = ::archive_write_new();
  ::archive_write_set_format_zip(writer);
  ::archive_write_zip_set_compression_store(writer);
  ENSURE(::archive_write_open_filename(writer, path.c_str()) == ARCHIVE_OK);
  for (int i = 0; i < k_zip_pictures; ++i) {
    const common::Bytes file = picture(i, bytes);
    archive_entry* entry = ::archive_entry_new();
    ::archive_entry_set_pathname(entry, ("val2014/" + picture_name(i)).c_str());
    ::archive_entry_set_filetype(entry, AE_IFREG);
    ::archive_entry_set_perm(entry, 0644);
    ::archive_entry_set_size(entry, static_cast<la_int64_t>(file.size()));
    ENSURE(::archive_write_header(writer, entry) == ARCHIVE_OK);
    ENSURE(::archive_write_data(writer, file.data(), file.size()) == static_cast<la_ssize_t>(file.size()));
    ::archive_entry_free(entry);
  }
  ENSURE(::archive_write_close(writer) == ARCHIVE_OK);
  ::archive_write_free(writer);
}

void build(const fs::path& corpus, const std::string& clips, const fs::path& images, const fs::path& dest) {
  packer::BuildRequest request;
  request.manifest = corpus / "E" / clips;
  request.val_manifest = corpus / "E/val_manifest.json";
  request.source_root = corpus / "audiocaps";
  request.image_roots = {images};
  request.dest_root = dest;
  request.probe = common::Probe::skip;
  request.verbosity = common::Verbosity::quiet;
  (void)packer::build_pack(request);
}

}  // namespace

int main(int argc, char** argv) {
  return common::run_program("bench_pack", [&] {
    const std::string verb = argc > 2 ? argv[1] : "";
    if (verb == "corpus" && argc == 3)
      make_corpus(argv[2]);
    else if (verb == "zip" && argc == 4)
      make_zip(argv[2], std::stoul(argv[3]));
    else if (verb == "build" && argc == 6)
      build(argv[2], argv[3], argv[4], argv[5]);
    else
      throw common::Error(
          common::ErrorKind::usage,
          "bench_pack corpus DIR | zip FILE BYTES_A_PICTURE | build CORPUS MANIFEST IMAGES DEST");
    return 0;
  });
}
