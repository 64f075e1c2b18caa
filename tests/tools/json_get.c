// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_get.c - values out of a JSON file, for shell scripts: `json_get FILE PATH...` prints one line for each path.
 * A path names members and array indices, separated by slashes: directions/0/lost.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *descend(const json_t *at, char *path)
{
	for (char *name = strtok(path, "/"); at && name; name = strtok(NULL, "/"))
		at = json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10)) : json_object_get(at, name);
	return at;
}

static int print(const json_t *value)
{
	if (json_is_string(value))
		return printf("%s\n", json_string_value(value));
	if (json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_INDENT(2)))
		return -1;
	return putchar('\n');
}

int main(int argc, char **argv)
{
	json_error_t error;
	json_t *file;

	if (argc < 3) {
		fprintf(stderr, "usage: json_get FILE PATH...\n");
		return 2;
	}
	file = json_load_file(argv[1], 0, &error);
	if (!file) {
		fprintf(stderr, "json_get: %s: %s\n", argv[1], error.text);
		return 1;
	}
	for (int i = 2; i < argc; i++) {
		char *path = strdup(argv[i]);
		const json_t *value = path ? descend(file, path) : NULL;

		free(path);
		if (!value) {
			fprintf(stderr, "json_get: %s has no %s\n", argv[1], argv[i]);
			return 1;
		}
		if (print(value) < 0)
			return 1;
	}
	json_decref(file);
	return fflush(stdout) ? 1 : 0;
}
