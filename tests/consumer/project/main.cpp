#include <moeplan/moeplan.hpp>

#include <iostream>

int main() { std::cout << moeplan::gpus(moeplan::strategy{moeplan::tp{2}, moeplan::dp{4}}) << '\n'; }
