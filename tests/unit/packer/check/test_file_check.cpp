#include "common/media/media_header.hpp"
#include "packer/check/file_check.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

// A pack of one file, as its control files would tell of it.
struct OneFile {
  packer::Examination examination;
  packer::PackFile file;
  OneFile(const std::string& path, const common::Bytes& bytes) {
    packer::FileInfo info;
    info.path = common::PackPath(path);
    info.role = *packer::role_of(path);
    info.bytes = bytes.size();
    if (info.role == packer::Role::clip) info.clip = packer::ClipFacts{8000, 1, 100, {}, {}, {}};
    if (info.role == packer::Role::image) info.image = packer::ImageFacts{8, 8};
    examination.info = packer::PackInfo{"pack", {}, {}, {info}};
    file = {info.path, bytes.size(), common::digest_of(bytes)};
  }
  [[nodiscard]] std::string rules(const common::Bytes& bytes, std::size_t piece_bytes) const {
    packer::FileCheck check(file, examination);
    for (std::size_t at = 0; at < bytes.size(); at += piece_bytes)
      check.take(common::ByteView(bytes).subspan(at, std::min(piece_bytes, bytes.size() - at)));
    common::Findings findings;
    check.conclude(findings);
    std::string rules;
    for (const common::Finding& finding : findings) rules += finding.rule + " ";
    return rules;
  }
};

// Metadata of `bytes` bytes behind the JPEG's first marker, in segments of at most 64 KiB (ITU-T T.81,
// B.1.1.4).
common::Bytes with_metadata(const common::Bytes& jpeg, std::size_t bytes) {
  common::Bytes out(jpeg.begin(), jpeg.begin() + 2);
  while (bytes > 0) {
    const std::size_t size = std::min<std::size_t>(bytes, 60'000);
    out.insert(out.end(), {0xff, 0xe2, static_cast<std::uint8_t>((size + 2) >> 8),
                           static_cast<std::uint8_t>((size + 2) & 0xff)});
    out.insert(out.end(), size, 0);
    bytes -= size;
  }
  out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
  return out;
}

}  // namespace

TEST_CASE("the header is found in whatever pieces the bytes come") {
  const common::Bytes wav = common::encode_wav16(support::tone(100, 0.2));
  const common::Bytes flac = common::encode_flac16(support::tone(100, 0.2));
  const common::Bytes jpeg = with_metadata(support::picture(3), 300'000);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, std::size_t{65'537}, jpeg.size()}) {
    CAPTURE(piece);
    OneFile clip("audio/train/a.wav", wav), packed("audio/train/a.flac", flac), image("images/a.jpg", jpeg);
    CHECK(clip.rules(wav, piece).empty());
    CHECK(packed.rules(flac, piece).empty());
    CHECK(image.rules(jpeg, piece).empty());
    clip.examination.info->files[0].clip->frames = 99;
    packed.examination.info->files[0].clip->channels = 2;
    image.examination.info->files[0].image->width = 9;
    CHECK(clip.rules(wav, piece) == "P6 ");
    CHECK(packed.rules(flac, piece) == "P6 ");
    CHECK(image.rules(jpeg, piece) == "P6 ");
  }
}

TEST_CASE("a header behind the first mebibyte, or one that nobody knows, is not judged") {
  const common::Bytes jpeg = with_metadata(support::picture(3), common::k_media_header_limit_bytes);
  OneFile far("images/a.jpg", jpeg);
  far.examination.info->files[0].image->width = 9;
  CHECK(far.rules(jpeg, 131072).empty());
  const common::Bytes text(500, 'x');
  CHECK(OneFile("audio/train/a.wav", text).rules(text, 100).empty());
}

TEST_CASE("of a damaged file its damage is said and nothing about pack.json") {
  common::Bytes wav = common::encode_wav16(support::tone(100, 0.2));
  const OneFile clip("audio/train/a.wav", wav);
  wav[24] ^= 1;  // its rate
  CHECK(clip.rules(wav, 64) == "F2 ");
}
