/// HTTP and JSON over suppliers of records, metrics text, health. It knows no gateway type.
@NullMarked
package dev.gatepost.admin;

import org.jspecify.annotations.NullMarked;
