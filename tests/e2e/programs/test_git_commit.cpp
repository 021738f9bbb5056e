// What a build writes down about its own sources.
#include <string>
#include <vector>

#include "tests/support/process.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

// A repository with the folders that programs are built from.
class Repository {
 public:
  Repository() {
    fs::create_directories(scratch_ / "tree/trainer");
    fs::create_directories(scratch_ / "tree/common");
    write("CMakeLists.txt", "project(x)\n");
    write("trainer/train.cpp", "int a;\n");
    write("README.md", "read me\n");
    git({"init", "-q"});
    git({"add", "-A"});
    git({"-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "first"});
  }
  void write(const std::string& name, const std::string& text) const {
    support::put_file(scratch_ / ("tree/" + name), text);
  }
  std::string git(std::vector<std::string> words) const {
    words.insert(words.begin(), "git");
    const support::Finished finished = support::run_process(words, scratch_ / "tree");
    REQUIRE_MESSAGE(finished.code == 0, finished.err);
    return finished.out;
  }
  [[nodiscard]] std::string head() const {
    const std::string line = git({"rev-parse", "HEAD"});
    return line.substr(0, line.size() - 1);
  }
  // What a build of `folder` writes.
  [[nodiscard]] std::string stamp(const std::string& folder = "tree") const {
    const support::Finished finished = support::run_process(
        {"cmake", "-DSOURCE=" + (scratch_ / folder).string(), "-DOUTPUT=" + output().string(), "-P",
         SAFE_SOURCE_DIR "/trainer/train/git_commit.cmake"});
    REQUIRE_MESSAGE(finished.code == 0, finished.err);
    const std::string text = support::text_of_file(output());
    const std::string begin = "#define SAFE_GIT_COMMIT \"";
    REQUIRE(text.substr(0, begin.size()) == begin);
    return text.substr(begin.size(), text.find('"', begin.size()) - begin.size());
  }
  [[nodiscard]] fs::path output() const { return scratch_ / "text.hpp"; }
  [[nodiscard]] fs::path tree() const { return scratch_ / "tree"; }

 private:
  support::Scratch scratch_;
};

bool is_modified(const Repository& repository, const std::string& stamp) {
  const std::string begin = repository.head() + "-modified-";
  return stamp.substr(0, begin.size()) == begin && stamp.size() == begin.size() + 12 &&
         stamp.find_first_not_of("0123456789abcdef", begin.size()) == std::string::npos;
}

}  // namespace

TEST_CASE("a build from a clean tree names its commit, and one from a modified tree says so") {
  const Repository repository;
  CHECK(repository.stamp() == repository.head());
  repository.write("trainer/train.cpp", "int b;\n");
  const std::string first = repository.stamp();
  CHECK(is_modified(repository, first));
  repository.write("trainer/train.cpp", "int c;\n");
  CHECK(is_modified(repository, repository.stamp()));
  CHECK(repository.stamp() != first);
  repository.git({"add", "-A"});
  CHECK(is_modified(repository, repository.stamp()));
  repository.write("trainer/train.cpp", "int b;\n");
  CHECK(repository.stamp() == first);
  repository.write("trainer/train.cpp", "int a;\n");
  CHECK(repository.stamp() == repository.head());
}

TEST_CASE("a source that git does not know yet is a modification, and another README is none") {
  const Repository repository;
  repository.write("README.md", "another text\n");
  repository.write("notes.txt", "a note\n");
  CHECK(repository.stamp() == repository.head());
  repository.write("common/a new one.cpp", "int a;\n");
  const std::string first = repository.stamp();
  CHECK(is_modified(repository, first));
  repository.write("common/a new one.cpp", "int b;\n");
  CHECK(repository.stamp() != first);
  repository.write(".gitignore", "*.cpp\n");
  CHECK(repository.stamp() == repository.head());
}

TEST_CASE("the user's settings of git do not change the stamp") {
  const Repository repository;
  repository.write("trainer/train.cpp", "int b;\n");
  const std::string plain = repository.stamp();
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{{"diff.noprefix", "true"},
                                                                                   {"diff.context", "0"},
                                                                                   {"color.ui", "always"},
                                                                                   {"diff.external", "true"}})
    repository.git({"config", key, value});
  CHECK(repository.stamp() == plain);
}

TEST_CASE("the file is left alone where the answer is the same, so that nothing is compiled again") {
  const Repository repository;
  (void)repository.stamp();
  const auto before = fs::last_write_time(repository.output());
  fs::last_write_time(repository.output(), before - std::chrono::hours(1));
  (void)repository.stamp();
  CHECK(fs::last_write_time(repository.output()) == before - std::chrono::hours(1));
}

TEST_CASE("sources without a repository of their own have no commit") {
  const Repository repository;
  fs::create_directories(repository.tree() / "unpacked/trainer");
  CHECK(repository.stamp("tree/unpacked") == "unknown");
  fs::remove_all(repository.tree() / ".git");
  CHECK(repository.stamp() == "unknown");
}
