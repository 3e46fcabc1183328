// SPDX-License-Identifier: MIT
#include "well_formed.h"

#include <algorithm>
#include <regex>
#include <sstream>

namespace biglittle::testing {
namespace {

bool is_plain(const std::string& text) {
  static const std::regex plain("([^<>&]|&(amp|lt|gt|quot|#[0-9]+);|>)*");
  // In pieces, since std::regex recurses once a character.
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(at + 2000, text.size());
    while (end < text.size() && text[end - 1] != ' ') ++end;
    if (!std::regex_match(text.substr(at, end - at), plain)) return false;
    at = end;
  }
  return true;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Markup read() {
    constexpr std::string_view kDoctype = "<!DOCTYPE html>";
    if (text_.starts_with(kDoctype)) at_ = kDoctype.size();
    while (markup_.error.empty() && at_ < text_.size()) {
      const std::size_t next = std::min(text_.find('<', at_), text_.size());
      if (!is_plain(std::string(text_.substr(at_, next - at_)))) {
        fail("stray '&' in " + std::string(text_.substr(at_, next - at_)));
      }
      at_ = next;
      if (at_ < text_.size()) read_tag();
    }
    if (!open_.empty()) fail("never closed: " + open_.back());
    return markup_;
  }

 private:
  void fail(const std::string& what) {
    if (markup_.error.empty()) markup_.error = what;
  }

  void read_tag() {
    const std::size_t end = text_.find('>', at_);
    if (end == std::string_view::npos) return fail("a tag does not end");
    const std::string tag(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    if (tag.starts_with('/')) {
      if (open_.empty() || open_.back() != tag.substr(1)) return fail("unexpected <" + tag + ">");
      open_.pop_back();
      return;
    }
    static const std::regex shape("([a-z0-9]+)((?: [-a-zA-Z0-9:]+=\"[^\"<&]*\")*)(/?)");
    std::smatch parts;
    std::string checked = tag;
    for (const char* entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
      for (std::size_t i; (i = checked.find(entity)) != std::string::npos;) {
        checked.replace(i, std::string(entity).size(), "_");
      }
    }
    // Points of a long line would exhaust std::regex.
    if (const std::size_t i = checked.find("points=\""); i != std::string::npos) {
      checked.replace(i + 8, checked.find('"', i + 8) - i - 8, "_");
    }
    if (!std::regex_match(checked, parts, shape)) return fail("bad tag <" + tag + ">");
    markup_.elements.push_back(parts[1]);
    read_attributes(parts[2]);
    if (parts[3].length() == 0) open_.push_back(parts[1]);
  }

  void read_attributes(const std::string& text) {
    static const std::regex attribute(" ([-a-zA-Z0-9:]+)=\"([^\"]*)\"");
    for (auto it = std::sregex_iterator(text.begin(), text.end(), attribute);
         it != std::sregex_iterator(); ++it) {
      const std::string name = (*it)[1];
      const std::string value = (*it)[2];
      markup_.attributes.push_back(name);
      if (name == "id") markup_.ids.push_back(value);
      if (name == "href") markup_.references.push_back(value.substr(1));
      if (name == "aria-labelledby") {
        std::istringstream words(value);
        for (std::string word; words >> word;) markup_.references.push_back(word);
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> open_;
  Markup markup_;
};

}  // namespace

Markup read_markup(std::string_view text) { return Reader(text).read(); }

}  // namespace biglittle::testing
