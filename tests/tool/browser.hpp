// A picture in a real browser: whether it shows what it says. Chromium, without a window; where it is not installed there is no answer.
#pragma once

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "run_tool.hpp"

namespace moeplan_test {

/// The command that starts a browser; empty: none is installed that works.
inline std::string browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
    if (std::system((std::string{"timeout 60 "} + name + " --version >/dev/null 2>&1").c_str()) == 0) return name;
  return {};
}

/// Draws an SVG picture and compares: a pixel near the corner of every box that has a stroke with the colour that the box says. Boxes
/// must not cover each other.
inline nlohmann::json drawn_in_browser(const std::string& command, const std::string& svg) {
  const temporary_folder folder;
  const std::string page = folder.write("page.html", R"(<!doctype html><meta charset="utf-8"><body>
<script type="text/plain" id="svg">)" + svg + R"(</script>
<script>
const source = document.getElementById('svg');
const text = source.textContent;
source.remove();
const report = answer => { document.body.innerHTML = '<pre>ANSWER' + JSON.stringify(answer) + 'END</pre>'; };
const image = new Image();
image.onerror = () => report({error: 'not a picture'});
image.onload = () => {
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const hex = n => n.toString(16).padStart(2, '0');
  const at = (x, y) => { const i = 4 * (Math.floor(y) * canvas.width + Math.floor(x));
                         return '#' + hex(pixels[i]) + hex(pixels[i + 1]) + hex(pixels[i + 2]); };
  const boxes = [...new DOMParser().parseFromString(text, 'image/svg+xml').querySelectorAll('rect[stroke]')];
  const number = (box, name) => Number(box.getAttribute(name));
  const wrong = boxes.filter(box => at(number(box, 'x') + 2, number(box, 'y') + 2) !== box.getAttribute('fill'));
  let dark = 0;
  for (let i = 0; i < pixels.length; i += 4) if (pixels[i] + pixels[i + 1] + pixels[i + 2] < 150) ++dark;
  report({width: canvas.width, height: canvas.height, boxes: boxes.length, wrong: wrong.length, dark: dark, background: at(1, 1)});
};
image.src = URL.createObjectURL(new Blob([text], {type: 'image/svg+xml'}));
</script>)");
  const std::string result = folder.file("result.html");
  const std::string options =
      " --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --virtual-time-budget=20000 --dump-dom";
  const std::string line = "timeout 120 " + command + options + " --user-data-dir='" + folder.file("profile") + "' 'file://" +
                           page + "' >'" + result + "' 2>/dev/null";
  CHECK(std::system(line.c_str()) == 0);
  const std::string dom = read_all(result);
  const std::size_t from = dom.find("ANSWER");
  const std::size_t to = dom.find("END", from);
  REQUIRE_MESSAGE((from != std::string::npos && to != std::string::npos), dom);
  return nlohmann::json::parse(dom.substr(from + 6, to - from - 6));
}

} // namespace moeplan_test
