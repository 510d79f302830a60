# Reads AT&T assembly as g++ and clang++ print it; see check.sh.

# The cold part of a function belongs to it.
function without_cold(name) { sub(/\.cold.*$/, "", name); return name }

function complain(why) {
  printf "%s: %s: %s: %s\n", file, current, why, $0
  failed = 1
}

# One instruction of a constant_ function: the operation and its operands.
function check_constant(operation, operands) {
  if (operation ~ /^(ret|retq|nop|nopw|nopl|endbr64)$/) return
  # Zero: xor of a register with itself.
  if (operation ~ /^(v?p?xor[lq]?|v?xorp[sd])$/ && same_register(operands)) return
  # The address of a result that is returned in memory is returned too.
  if (operation == "movq" && operands == "%rdi, %rax") return
  # The source is a constant, or a register on its way to the result in memory.
  if (operation ~ /^(v?mov[a-z0-9]*)$/) {
    if (operands ~ /^\$-?[0-9]+, /) return
    if (operands ~ /^%[a-z0-9]+, -?[0-9]*\(%r(di|ax)\)$/) return
  }
  complain("not a constant")
}

function same_register(operands,    part, n, i) {
  n = split(operands, part, /, /)
  for (i = 2; i <= n; ++i) if (part[i] != part[1]) return 0
  return n > 1
}

function check_nodivision(operation, operands,    target) {
  if (operation ~ /^(call|callq)$/) complain("a call")
  else if (operation ~ /^(v?div|idiv)/) complain("a division")
  else if (operation ~ /^(notrack|bnd)$/) complain("an indirect jump")
  else if (operation ~ /^j/ && operands !~ /^\.L/) {
    target = operands
    sub(/@PLT$/, "", target)
    if (without_cold(target) != current) complain("a jump to another function")
  }
}

{ sub(/[ \t]*#.*$/, "") }  # clang's comments

# A label: a function's or one inside it.
/^[A-Za-z_.$][^ \t]*:/ {
  label = $1
  sub(/:.*$/, "", label)
  if (label !~ /^\.L/) {
    current = without_cold(label)
    if (current ~ /^(constant|nodivision)_/) found[current] = 1
  }
  next
}

# One function given as another name of a second one has no body to check.
$1 == ".set" || $1 == ".equ" {
  name = $2
  sub(/,.*$/, "", name)
  if (name ~ /^(constant|nodivision)_/) { current = name; complain("only another name of another function") }
  next
}

/^[ \t]*\./ || NF == 0 { next }  # a directive or nothing

current ~ /^(constant|nodivision)_/ {
  operation = $1
  operands = $0
  sub(/^[ \t]*[^ \t]+[ \t]*/, "", operands)
  gsub(/,[ \t]*/, ", ", operands)
  ++instructions[current]
  if (current ~ /^constant_/) check_constant(operation, operands)
  else check_nodivision(operation, operands)
}

END {
  count = 0
  for (name in found) {
    ++count
    if (!instructions[name]) { printf "%s: %s: no instruction found\n", file, name; failed = 1 }
  }
  if (count == 0) { printf "%s: no function called constant_... or nodivision_...\n", file; failed = 1 }
  else printf "%d functions checked\n", count
  exit failed
}
