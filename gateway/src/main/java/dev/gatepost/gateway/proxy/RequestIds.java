package dev.gatepost.gateway.proxy;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/// Makes request ids: 32 hexadecimal digits, unique without being secret. One per event loop.
final class RequestIds {
    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

    private final RandomGenerator random;
    private final byte[] text = new byte[32];

    RequestIds(RandomGenerator random) {
        this.random = random;
    }

    static RequestIds create() {
        return new RequestIds(new SplittableRandom());
    }

    void addTo(FieldSection fields) {
        write(random.nextLong(), 0);
        write(random.nextLong(), 16);
        fields.add(FieldName.X_REQUEST_ID, ForwardedFields.REQUEST_ID, text, 0, text.length);
    }

    private void write(long value, int at) {
        for (int i = 0; i < 16; i++) {
            text[at + i] = HEX[(int) (value >>> (60 - 4 * i)) & 15];
        }
    }
}
