// SPDX-License-Identifier: MIT
#pragma once

// A strict little reader of markup, for tests: it accepts less than XML does.

#include <string>
#include <string_view>
#include <vector>

namespace biglittle::testing {

/// What was found in a document.
struct Markup {
  std::string error;                    ///< the first thing that is wrong, or empty
  std::vector<std::string> elements;    ///< names of all elements, in order
  std::vector<std::string> ids;         ///< values of id
  std::vector<std::string> references;  ///< values of href without '#', ids in aria-labelledby
  std::vector<std::string> attributes;  ///< names of all attributes
};

/// Reads tags with quoted attributes, comments-free text and the five named entities or numbers;
/// `<style>` holds text without '<' and '&'.
Markup read_markup(std::string_view text);

}  // namespace biglittle::testing
