#include "common/unicode_form.hpp"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/utf8.hpp"

namespace common {

std::vector<std::string> normal_forms(const std::string& name) {
  std::vector<std::string> forms = {name};
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::all_of(name.begin(), name.end(), is_ascii) || !is_utf8(name)) return forms;
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString text = icu::UnicodeString::fromUTF8(name);
  for (const icu::Normalizer2* form :
       {icu::Normalizer2::getNFCInstance(status), icu::Normalizer2::getNFDInstance(status)}) {
    ENSURE(U_SUCCESS(status));
    std::string normal;
    form->normalize(text, status).toUTF8String(normal);
    ENSURE(U_SUCCESS(status));
    if (std::find(forms.begin(), forms.end(), normal) == forms.end()) forms.push_back(std::move(normal));
  }
  return forms;
}

}  // namespace common
