// The corpora that fuzzing starts from: a small pack, its parts and its archives, and the files of models,
// written below the folder that is named, a folder a target.
#include <cstdio>

#include "manifest/format/write.hpp"
#include "packer/archive/archive.hpp"
#include "tests/support/keys.hpp"
#include "tests/support/picture_endings.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/tar_parts.hpp"
#include "tests/support/vqa.hpp"
#include "tests/support/zip_parts.hpp"
#include "trainer/formats/clap_config.hpp"
#include "trainer/formats/llava_config.hpp"
#include "trainer/formats/log_mel_config.hpp"
#include "trainer/formats/pixels_config.hpp"
#include "trainer/results/checkpoint_facts.hpp"
#include "trainer/results/learning_curve.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/prediction.hpp"

namespace {

namespace fs = std::filesystem;
using support::get;
using support::put;

const char* const k_control[] = {"README.txt",
                                 "audio_val_manifest.json",
                                 "captions.jsonl",
                                 "manifest.json",
                                 "retention_manifest.json",
                                 "subset_manifest.json",
                                 "val_manifest.json",
                                 "pack.json"};

void write_parts(const fs::path& pack, const fs::path& out) {
  put(out / "seal" / "pack", get(pack / "SHA256SUMS"));
  put(out / "info" / "pack", get(pack / "pack.json"));
  put(out / "subset_manifest" / "pack", get(pack / "subset_manifest.json"));
  put(out / "subset_manifest" / "two_captions",
      std::string(
          R"({"subset_name": "s", "description": "", "seed": -1, "source_dataset": "\u00e9", "audio_rel_root":
"a", "metadata_columns": ["audiocap_id", "youtube_id", "start_time", "caption"], "entries": [{"audiocap_id": "1",
"youtube_id": "x", "start_time": null, "caption": "c", "captions": ["a", "b"], "audio_relpath": "audio/t/x.wav"}]})"));
  auto vqa = support::vqa_of("base", {support::question(1, 1)});
  put(out / "vqa_manifest" / "pack", get(pack / "val_manifest.json"));
  vqa.captions = {support::clip_entry(1, "train"), support::clip_entry(2, "train")};
  vqa.recipe =
      manifest::Recipe{"stratified", 9, {{"questions", common::digest_of("q")}}, {{"x", "no source file"}}};
  put(out / "vqa_manifest" / "base", manifest::write_vqa(vqa));
  put(out / "names" / "pack",
      std::string("data_pack\nSHA256SUMS\naudio/train/a.wav\nimages/a.jpg\n../x\nA/b\na/B\na\n/x\na//b\n"));
  std::string contents = get(pack / "SHA256SUMS");
  for (const char* name : k_control) contents += std::string("\n=== ") + name + "\n" + get(pack / name);
  // Empty media files: their digests are no part of what is looked at.
  for (const auto& [path, bytes] : support::tree_of(pack))
    if (!packer::is_control(path)) contents += "\n=== " + path + "\n";
  put(out / "contents" / "pack", contents);
  put(out / "contents" / "unlike",
      contents + "\n=== unlike_manifest.json\n" + get(pack / "val_manifest.json"));
}

void write_tables(const fs::path& out) {
  put(out / "clip_table" / "csv", '\0' + std::string("audiocap_id,youtube_id,start_time,caption\n1,abc,30,A "
                                                     "dog barks\n2,-x_y,,\"A \"\"man\"\", speaks\"\r\n"));
  const std::string row =
      R"({"audiocap_id": 7, "youtube_id": "a", "start_time": "30", "captions": ["A dog barks", "Rain"]})";
  const std::string other =
      R"({"id": "audiocaps_val_8", "metadata": {"ytid": "b", "start_time": 1}, "answer": "c"})";
  put(out / "clip_table" / "json", "\1[" + row + ", " + other + "]");
  put(out / "clip_table" / "data", "\1{\"data\": [" + row + "]}");
  put(out / "clip_table" / "jsonl", "\2" + row + "\n" + other + "\n");
  std::vector<common::Json> questions, annotations;
  support::many_questions(4, questions, annotations);
  put(out / "vqa_tables" / "tables",
      support::questions_table(questions, "val2014") + '\0' + support::annotations_table(annotations));
}

void write_json(const fs::path& out) {
  put(out / "json" / "all",
      std::string(R"({"a": [1, -2.5e+3, "\u00e9\ud83d\ude00\n", true, null], "b": {"c": []}})"));
  put(out / "json" / "deep", std::string(64, '[') + std::string(64, ']'));
  put(out / "coco_images" / "instances",
      std::string(R"({"licenses": [{"id": 1, "name": "CC BY", "url": "http://x"}], "images": [{"id": 1,
"license": 1, "file_name": "COCO_val2014_000000000001.jpg", "flickr_url": "http://y"}, {"license": 1,
"file_name": "a.jpg", "coco_url": "http://z"}]})"));
  const manifest::Recipe recipe{
      "stratified",
      9,
      {{"questions", common::digest_of("q"), manifest::Licence{"CC BY", "http://x"}}},
      {{"x", "no source file"}}};
  put(out / "recipe" / "recipe", common::dump_line(manifest::to_json(recipe)));
}

void write_keys(const fs::path& out) {
  const common::Bytes raw(32, 7);
  // What stands in the place of a file that was never fetched.
  for (const char* target : {"key_file", "coco_images", "vqa_tables"})
    put(out / target / "unfetched", std::string("/annex/objects/SHA256E-s64--00.pem\n"));
  put(out / "key_file" / "public", support::public_pem(raw));
  put(out / "key_file" / "secret", support::secret_pem(raw));
  put(out / "key_file" / "weak", support::public_pem(common::Bytes(32, 0)));
  put(out / "key_file" / "encrypted", support::pem("ENCRYPTED PRIVATE KEY", "", raw));
  put(out / "key_file" / "other", support::pem("PUBLIC KEY", "302a300506032b656e032100", raw));
}

void write_escapes(const fs::path& out) {
  put(out / "escape" / "terminal",
      std::string("a\x1b[31mred\x1b]0;title\x07\r\n\t\\ \xc2\x9b \xff \xe2\x80\xae caf\xc3\xa9"));
  put(out / "escape" / "page",
      std::string("<script>alert('1')</script> & \"x\" [a](javascript:b) | `c` \xe2\x81\xa6"));
}

// A byte in front tells the file.
void write_run_files(const fs::path& out) {
  trainer::Prediction item;
  item.condition = trainer::condition::k_silence;
  item.id = "1";
  item.question = "What colour is it?";
  item.answer_type = "other";
  item.references = {"red", "blue"};
  item.prediction = "red";
  item.nll = 0.5;
  put(out / "run_files" / "predictions", '\0' + common::dump_line(to_json(item)) + "\n");
  trainer::Metrics metrics;
  metrics.validation.conditions["silence"].questions = 3;
  metrics.validation.audio["memorised"].samples = 2;
  metrics.training = trainer::SplitMetrics{};
  metrics.null_space.push_back({"gate", 1, 2, 3, 4, 0.5, 0.25, 1.0, {}});
  metrics.mechanisms["kl"] = {1, 1, 0.5};
  put(out / "run_files" / "metrics", '\1' + common::dump_pretty(to_json(metrics)));
  const trainer::CurveLook look{
      5, {{"387003", "red", 0.25}, {"387004", "", {}}}, {{"clip", "a dog barks", {}}}};
  put(out / "run_files" / "learning_curve", '\2' + common::dump_line(to_json(look)) + "\n");
}

// Of other people; a byte in front tells the form.
void write_foreign(const fs::path& out) {
  const std::vector<support::ZipPart> parts{{"audio/train/a.wav", "sound"}, {"images/a.jpg", "picture"}};
  put(out / "foreign_archive" / "zip", '\0' + support::zip_of(parts));
  put(out / "foreign_archive" / "zip64", '\0' + support::zip_of(parts, support::ZipWidth::wide));
  put(out / "foreign_archive" / "tar",
      '\1' + support::tar_of({support::tar_member("x/audio/train/a.wav", "sound"),
                              support::tar_link("x/images/a.jpg", '2', "b.jpg")}));
}

// A byte in front tells the form.
void write_archives(const fs::path& pack, const fs::path& scratch, const fs::path& out) {
  const auto archive = [&](const char* name) {
    (void)packer::archive({pack, scratch / name, 1, common::Verbosity::quiet});
    return get(scratch / name);
  };
  put(out / "archive" / "pack", archive("x.tar"));
  put(out / "decompress" / "gzip", '\0' + archive("x.tgz"));
  put(out / "decompress" / "zstd", '\1' + archive("x.tar.zst"));
}

void write_media(const fs::path& out) {
  put(out / "media_header" / "wav", common::encode_wav16(support::tone(20, 0.3)));
  put(out / "media_header" / "flac", common::encode_flac16(support::tone(40, 0.7)));
  put(out / "media_header" / "jpeg", support::picture(11));
  put(out / "media_header" / "png",
      std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x08\x08\2\0\0\0", 29));
  for (const auto& [name, bytes] : support::whole_pictures()) put(out / "picture" / name, bytes);
  put(out / "picture" / "scans", support::many_scans_jpeg(100));
}

std::string tensors_of(const std::string& header, std::size_t data_bytes) {
  common::Bytes length(8);
  common::store_le(header.size(), 8, length.data());
  return std::string(common::text_of(length)) + header + std::string(data_bytes, '\0');
}

void write_models(const fs::path& out) {
  const std::string tensors =
      R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[],"data_offsets":[8,10]})";
  put(out / "tensor_header" / "two", tensors_of(R"({"__metadata__":{"format":"pt"},)" + tensors + "}", 10));
  put(out / "tensor_index" / "two",
      std::string(
          R"({"metadata":{"total_size":10},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})"));
  common::Json facts = trainer::format_checkpoint_facts({7, std::string(64, 'a'), 100, std::string(64, 'b')});
  put(out / "checkpoint" / "last",
      tensors_of(R"({"__metadata__":)" + facts.dump() + "," + tensors + "}", 10));
  put(out / "tokenizer" / "llama",
      std::string(
          R"({"added_tokens":[{"id":1,"content":"<s>","special":true},{"id":9,"content":"<image>","special":true,
"normalized":false},{"id":10,"content":"a b","normalized":true}],"normalizer":{"type":"Sequence","normalizers":[{"type":
"Prepend","prepend":"\u2581"},{"type":"Replace","pattern":{"String":" "},"content":"\u2581"}]},"pre_tokenizer":null,
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],
"special_tokens":{"<s>":{"ids":[1]}}},"decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Strip",
"start":1}]},"model":{"type":"BPE","byte_fallback":true,"fuse_unk":true,"unk_token":"<unk>","vocab":{"<unk>":0,"<s>":1,
"<0x0A>":2,"\u2581":3,"a":4,"b":5,"ab":6,"\u2581a":7,"\u2581ab":8},"merges":["a b",["\u2581","a"],"\u2581 ab"]}})") +
          '\0' + "ab <image> a b\n\xC3\xA9<s>");
  const auto config = [&](char which, const char* name, const common::Json& json) {
    put(out / "model_config" / name, which + json.dump());
  };
  trainer::LlavaConfig llava;
  llava.text.vocabulary = 32064;
  config('\0', "llava", trainer::format_llava_config(llava));
  config('\1', "clap", trainer::format_clap_config({}));
  config('\2', "pixels", trainer::format_pixels_config({}));
  config('\3', "log_mel", trainer::format_log_mel_config({}));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 2;
  }
  const support::Scratch scratch;
  const fs::path out = argv[1];
  const fs::path pack = packer::build_pack(support::small_sources(scratch.path())).location;
  write_parts(pack, out);
  write_tables(out);
  write_archives(pack, scratch.path(), out);
  write_media(out);
  write_models(out);
  write_json(out);
  write_keys(out);
  write_escapes(out);
  write_run_files(out);
  write_foreign(out);
  return 0;
}
